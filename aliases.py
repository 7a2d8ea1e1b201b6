"""Names that databases use for the same TF or the same cell line.

ENCODE, UCSC, ReMap, ChIP-Atlas, Cistrome and UniBind each spell names in their own way.
A group lists names of one protein, or of one cell line; case and punctuation do not
count. Only names that mean the same everywhere belong here: a wrong alias adds peaks to
the wrong track, and nobody sees it. So a parent line is no alias of its clone (HeLa is
not HeLa-S3), a family none of its members (AP-1), a modified protein none of the plain
one (POLR2AphosphoS5), and a name that two genes have (RBP2, TCF-4) is in no group.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

__all__ = ["Kind", "find_names", "name_key", "usual_name"]

Kind = Literal["TF", "cell line"]
"""What a name is of, in the words of messages."""

# One group per line: current gene symbol, older symbols, names of papers and antibodies.
_TFS = """
ARID3A, DRIL1
BHLHE40, BHLHB2, DEC1
CBX3, HP1gamma
CEBPA, C/EBPalpha
CEBPB, C/EBPbeta
CEBPD, C/EBPdelta
CREBBP, CBP
CTCFL, BORIS
EBF1, EBF
EGR1, ZIF268, KROX24
EP300, P300
ESR1, ERalpha, ERalpha_a
ESRRA, ERRA, ERRalpha
FOS, c-Fos
FOSL1, FRA1
FOSL2, FRA2
GTF2B, TFIIB
HNF4A, HNF4alpha
IKZF1, IKAROS
ILF2, NF45
JUN, c-Jun
KAT2A, GCN5, GCN5L2
KDM1A, LSD1
KDM5A, JARID1A
KDM5B, JARID1B, PLU1
KMT2A, MLL1
KMT2E, MLL5
MYB, c-Myb
MYBL2, B-Myb
MYC, c-Myc
MYCN, N-Myc
NELFE, RDBP
NFE2L2, NRF2
NR2C2, TR4
NR2F2, COUPTF2, COUP-TFII
NR3C1, GR
NR4A1, NUR77, NGFI-B
POLR2A, Pol2, Pol II, PolR2, RNAPII, RNA Pol II, RNA polymerase II, POL2-4H8, RPB1
POLR3A, RPC155
POU2F2, OCT2
POU5F1, OCT4
PPARGC1A, PGC1A, PGC1alpha
PRDM1, BLIMP1
RCOR1, CoREST
REST, NRSF
RXRA, RXRalpha
SIN3A, SIN3AK20
SMARCA4, BRG1
SMARCB1, INI1, SNF5, BAF47
SMARCC1, BAF155
SMARCC2, BAF170
SPI1, PU.1, SFPI1
SREBF1, SREBP1
SREBF2, SREBP2
SUPT20H, FAM48A, SPT20
TAL1, SCL, TAL1_SCL
TBL1XR1, TBLR1
TCF12, HEB
TCF3, E2A
TFAP2A, AP2alpha
TFAP2C, AP2gamma
TP53, p53
TRIM28, KAP1, TIF1B
UBTF, UBF, UBF1
WRNIP1, WHIP
ZBTB33, KAISO
ZBTB7A, LRF
ZEB1, TCF8
"""

# Only spellings that punctuation does not already equate: K-562 needs no line.
_CELLS = """
AoAF, fibroblast of the aortic adventitia, fibroblast_AORTIC_ADVENTITIA
BE2_C, SK-N-BE(2)-C
H1-hESC, H1, WA01, hESC H1, H1-ESC, H1-hES, H1 embryonic stem cells
H9-hESC, H9 hESC, WA09, hESC H9, H9-ESC
HA-sp, astrocyte of the spinal cord, astrocyte_spinal_cord
HAc, astrocyte of the cerebellum, astrocyte_cerebellum
HBMEC, brain microvascular endothelial cell
HCPEpiC, choroid plexus epithelial cell
HEEpiC, epithelial cell of esophagus
HEK293-T-REx, T-REx-293
HEK293T, 293T
HMF, fibroblast of mammary gland, fibroblast_MAMMARY
HPAF, fibroblast of pulmonary artery, fibroblast_PULMONARY_ARTERY
HRPEpiC, retinal pigment epithelial cell, epithelial_retinal_pigment
HUVEC, endothelial cell of umbilical vein, endothelial_umbilical-vein
HVMF, fibroblast of villous mesenchyme, fibroblast_VILLOUS_MESENCHYME
NT2-D1, NTERA-2 clone D1, NTERA-2 cl.D1
SK-N-SH_RA, SK-N-SH treated with all-trans-retinoic acid
U87, U-87 MG
"""
_GREEK = str.maketrans(
    {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "κ": "kappa"}
)
_TABLES = {"TF": _TFS, "cell line": _CELLS}

# A tag of the protein, before its name; the species, and the antibody, after it.
_TAG = re.compile(r"(?:(?:e?GFP|(?:3x)?FLAG|HA|V5)[-_])+", re.IGNORECASE)
_AFTER_TF = re.compile(r"-human$|\s*_?\((?!\s*phospho)[^()]*\)$", re.IGNORECASE)
_AFTER_CELL = re.compile(r"\s+cells?(?: line)?$", re.IGNORECASE)


def name_key(name: str) -> str:
    """Reduce a name to what its spellings have in common.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        A to Z, in capitals, and digits; Greek symbols are spelled out.
    """
    return re.sub(r"[^A-Z0-9]", "", name.translate(_GREEK).upper())


def find_names(name: str, kind: Kind) -> tuple[str, ...]:
    """List what a TF or cell line is also called, by those who mean the same.

    Parameters
    ----------
    name : str
        As a database spells it; tags (eGFP-, HA-), species (-human) and the antibody in
        parentheses are removed from a TF.
    kind : {"TF", "cell line"}

    Returns
    -------
    tuple of str
        The name without such additions, then the other names of its group. Spellings
        that differ in case and punctuation are one name.
    """
    plain = _strip(name.strip(), kind)
    group = _groups(kind).get(name_key(plain), ())
    return (plain, *(other for other in group if other != plain))


def usual_name(name: str, kind: Kind) -> str:
    """Find the usual one of the names of a TF or cell line.

    Parameters
    ----------
    name : str
        As of :func:`find_names`.
    kind : {"TF", "cell line"}

    Returns
    -------
    str
        The first name of its group; without a group the name itself, of a TF without
        tag, species and antibody.
    """
    plain = _strip(name.strip(), kind)
    own = plain if kind == "TF" else name.strip()
    return _groups(kind).get(name_key(plain), (own,))[0]


def _strip(name: str, kind: Kind) -> str:
    """Remove what is no part of a name, unless nothing remains."""
    if kind == "cell line":
        return _AFTER_CELL.sub("", name) or name
    shorter = _AFTER_TF.sub("", name)
    while shorter and shorter != name:
        name, shorter = shorter, _AFTER_TF.sub("", shorter)
    return _TAG.sub("", name, count=1) if _TAG.match(name) else name


@cache
def _groups(kind: Kind) -> dict[str, tuple[str, ...]]:
    """Group of each name, by its key."""
    groups: dict[str, tuple[str, ...]] = {}
    for line in _TABLES[kind].strip().splitlines():
        names = tuple(name.strip() for name in line.split(","))
        groups |= {name_key(name): names for name in names}
    return groups
