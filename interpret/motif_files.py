"""Write the motifs of filters: tables, MEME's and JASPAR's formats, and logos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tfimpute_tracks.interpret.filter_table import write_filter_table
from tfimpute_tracks.interpret.filters import FilterMotif, information
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.plots.logos import logo_figure
from tfimpute_tracks.plots.style import save_figure
from tfimpute_tracks.storage import write_text

if TYPE_CHECKING:
    from tfimpute_tracks.interpret.motif_match import Match

__all__ = ["jaspar_text", "meme_text", "write_motifs"]

_MAX_LOGOS = 80


def write_motifs(
    model: Model,
    motifs: Sequence[FilterMotif],
    matches: Sequence[Match | None],
    tables: Mapping[str, pd.DataFrame],
    out_dir: Path,
) -> list[Path]:
    """Write tables, motif files and logos.

    Parameters
    ----------
    model : Model
    motifs : sequence of FilterMotif
    matches : sequence of Match or None
        One for each motif.
    tables : mapping of str to DataFrame
        By file name; `filters` comes first.
    out_dir : Path

    Returns
    -------
    list of Path

    Raises
    ------
    WriteError
        The disk is full, or a file cannot be written.
    """
    files = [out_dir / f"{name}.tsv" for name in tables]
    filters, *others = tables.values()
    write_filter_table(files[0], model, filters)
    for file, table in zip(files[1:], others, strict=True):
        write_text(file, table.to_csv(sep="\t", index=False, float_format="%.4f"))
    shown = [motif for motif in motifs if motif.n_hits]
    titles = [filters["symbols"][motif.number] for motif in shown]
    for suffix, format_motifs in (("meme", meme_text), ("jaspar", jaspar_text)):
        files.append(out_dir / f"filters.{suffix}")
        write_text(files[-1], format_motifs(shown, titles))
    matched = [(m, own) for m, own in zip(motifs, matches, strict=True) if own]
    if matched:
        files.append(out_dir / "filters.svg")
        _draw_logos(matched, files[-1], f"Filters of {model.name}")
    return files


def _draw_logos(
    matched: list[tuple[FilterMotif, Match]], dest: Path, title: str
) -> None:
    """Draw the filters that match a known motif, the smallest E-value first."""
    shown = sorted(matched, key=lambda pair: pair[1].e_value)[:_MAX_LOGOS]
    titles = [
        (motif.name, f"{'::'.join(match.matrix.symbols)} {match.e_value:.0e}")
        for motif, match in shown
    ]
    logos = [information(motif.counts) for motif, _ in shown]
    caption = (
        f"The {len(shown)} filters that match a known motif best: sequence logos, in "
        "bits, of the bases under their hits, with the JASPAR motif and its E-value."
    )
    save_figure(logo_figure(logos, titles, caption), dest, title)


def meme_text(motifs: Sequence[FilterMotif], titles: Sequence[str]) -> str:
    """Format motifs in MEME's minimal format, version 4.

    Parameters
    ----------
    motifs : sequence of FilterMotif
        With hits.
    titles : sequence of str
        Name of each in addition to the filter's name; may be empty.

    Returns
    -------
    str
        Base frequencies; the background is 1/4 each.
    """
    parts = [
        "MEME version 4\n",
        "ALPHABET= ACGT\n",
        "strands: + -\n",
        "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n",
    ]
    for motif, title in zip(motifs, titles, strict=True):
        frequencies = motif.counts / motif.counts.sum(axis=1, keepdims=True)
        rows = "\n".join(" ".join(f"{x:.6f}" for x in row) for row in frequencies)
        name = f"{motif.name} {title}".rstrip()
        parts.append(
            f"MOTIF {name}\nletter-probability matrix: alength= 4 w= {len(frequencies)} "
            f"nsites= {motif.n_hits} E= 0\n{rows}\n"
        )
    return "\n".join(parts)


def jaspar_text(motifs: Sequence[FilterMotif], titles: Sequence[str]) -> str:
    """Format motifs in JASPAR's format.

    Parameters
    ----------
    motifs : sequence of FilterMotif
        With hits.
    titles : sequence of str
        Name of each in addition to the filter's name; may be empty.

    Returns
    -------
    str
        Base counts.
    """
    parts = []
    for motif, title in zip(motifs, titles, strict=True):
        rows = [
            f"{base}  [{' '.join(f'{n:>6d}' for n in motif.counts[:, i])} ]"
            for i, base in enumerate("ACGT")
        ]
        parts.append("\n".join([f">{motif.name}\t{title or motif.name}", *rows]))
    return "\n\n".join(parts) + "\n"
