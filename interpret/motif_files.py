"""Motifs of filters as other programs read them: MEME's text format, and JASPAR's."""

from __future__ import annotations

from collections.abc import Sequence

from tfimpute_tracks.interpret.filters import FilterMotif

__all__ = ["jaspar_text", "meme_text"]


def meme_text(motifs: Sequence[FilterMotif], titles: Sequence[str]) -> str:
    """Write motifs in MEME's minimal format, version 4.

    Parameters
    ----------
    motifs : sequence of FilterMotif
        With hits.
    titles : sequence of str
        What each is called beside the filter's name; may be empty.

    Returns
    -------
    str
        Shares of letters; the background is 1/4 each.
    """
    parts = [
        "MEME version 4\n",
        "ALPHABET= ACGT\n",
        "strands: + -\n",
        "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n",
    ]
    for motif, title in zip(motifs, titles, strict=True):
        shares = motif.counts / motif.counts.sum(axis=1, keepdims=True)
        rows = "\n".join(" ".join(f"{x:.6f}" for x in row) for row in shares)
        name = f"{motif.name} {title}".rstrip()
        parts.append(
            f"MOTIF {name}\nletter-probability matrix: alength= 4 w= {len(shares)} "
            f"nsites= {motif.n_hits} E= 0\n{rows}\n"
        )
    return "\n".join(parts)


def jaspar_text(motifs: Sequence[FilterMotif], titles: Sequence[str]) -> str:
    """Write motifs in JASPAR's format.

    Parameters
    ----------
    motifs : sequence of FilterMotif
        With hits.
    titles : sequence of str
        What each is called beside the filter's name; may be empty.

    Returns
    -------
    str
        Counts of letters.
    """
    parts = []
    for motif, title in zip(motifs, titles, strict=True):
        rows = [
            f"{letter}  [{' '.join(f'{n:>6d}' for n in motif.counts[:, i])} ]"
            for i, letter in enumerate("ACGT")
        ]
        parts.append("\n".join([f">{motif.name}\t{title or motif.name}", *rows]))
    return "\n\n".join(parts) + "\n"
