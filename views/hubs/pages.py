"""Description pages of a hub: what a score means, how accurate it is, what to cite.

UCSC's genome browser shows them below a track's settings; they also open by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from html import escape

from tfimpute_tracks import __version__
from tfimpute_tracks.errors import counted
from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.storage.page import fill_template
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.views.hubs.card_lookup import CardLookup

__all__ = [
    "basis_text",
    "methods_section",
    "overview_page",
    "pair_table",
    "reading_guide",
    "tf_page",
]

_PAPER = (
    "Qin Q, Feng J. Imputation for transcription factor binding predictions based on "
    "deep learning. <i>PLoS Comput Biol</i> 2017;13(2):e1005403, "
    '<a href="https://doi.org/10.1371/journal.pcbi.1005403">'
    "doi:10.1371/journal.pcbi.1005403</a>"
)
_MAX_ROWS = 2000  # of a table; hub.tsv has all
_MAX_THRESHOLDS = 12  # in the text of the methods


def overview_page(tracks: list[TrackRecord], card: CardLookup) -> str:
    """Write the description page of a whole hub.

    Parameters
    ----------
    tracks : list of TrackRecord
    card : CardLookup

    Returns
    -------
    str
        HTML.
    """
    statuses = Counter(track.status for track in tracks)
    tfs = {track.pair.tf for track in tracks}
    cells = {track.pair.cell for track in tracks}
    counts = ", ".join(f"{n:,} {status}" for status, n in sorted(statuses.items()))
    body = f"""<p>Probability that a transcription factor (TF) binds in a cell line, predicted
from {basis_text(tracks)}. {counted(len(tracks), "pair")} of {counted(len(tfs), "TF")} and
{counted(len(cells), "cell line")}: {counts}. A <i>measured</i> pair has
measured peaks: the model was trained on them, or the evidence has them. An
<i>imputed</i> pair has none.</p>
{reading_guide(tracks)}
{methods_section(tracks, card)}
<h2>Pairs</h2>
{pair_table(tracks, card)}"""
    return _page("Transcription factor binding, predicted", body)


def tf_page(tf: str, tracks: list[TrackRecord], card: CardLookup) -> str:
    """Write the description page of a TF's tracks.

    Parameters
    ----------
    tf : str
    tracks : list of TrackRecord
        Of that TF.
    card : CardLookup

    Returns
    -------
    str
        HTML.
    """
    measured = [track.pair.cell for track in tracks if track.status == "measured"]
    verb = "is" if len(measured) == 1 else "are"
    training = (
        f"{len(measured)} of them {verb} measured: {escape(', '.join(measured))}."
        if measured
        else "None of them is measured."
    )
    body = f"""<p>Probability that {escape(tf)} (family: {escape(family_of(tf))}) binds in
{counted(len(tracks), "cell line")}, predicted from {basis_text(tracks)}.
{training}</p>
{reading_guide(tracks)}
<h2>Thresholds and accuracy</h2>
{pair_table(tracks, card)}
{methods_section(tracks, card)}"""
    return _page(f"Binding of {escape(tf)}, predicted", body)


def reading_guide(tracks: Iterable[TrackRecord]) -> str:
    """Explain the values of the signals that tracks have.

    Parameters
    ----------
    tracks : iterable of TrackRecord

    Returns
    -------
    str
        HTML.
    """
    tracks = list(tracks)
    present = {name for track in tracks for name in track.signals}
    signals = [
        f"<b>{SIGNALS[name].label}</b>: {text}"
        for name, text in _SIGNAL_TEXTS.items()
        if name in present
    ]
    bases = sorted({bool(track.evidence_weights) for track in tracks})
    items = [*signals, *_GENERAL_TEXTS, *(_BASIS_TEXTS[basis] for basis in bases)]
    rows = "\n".join(f"<li>{item}</li>" for item in items)
    return f"<h2>How to read the tracks</h2>\n<ul>\n{rows}\n</ul>"


_SIGNAL_TEXTS = {
    "probability": "fraction of open-chromatin sites with the same score that are "
    "bound, for the tile centered at a position and the better one of both strands. It is "
    "estimated on held-out pairs. In closed chromatin fewer sites are bound.",
    "score": "the network's own output, 0 to 1. In training half of the sites were "
    "bound, so it is higher than the fraction of bound sites, unless the tracks were "
    "predicted with evidence.",
    "log-odds": "ln(p / (1 - p)) of the probability p. It shows differences between "
    "positions whose probabilities are all near 0 or near 1.",
    "specificity": "probability minus its mean over the cell lines of the same TF. It "
    "shows binding that is specific to this cell line.",
}
_GENERAL_TEXTS = (
    (
        "<b>Peaks</b> are runs of tiles whose probability is at or above the pair's "
        "threshold. A darker peak has a higher maximum. A line across a track of the "
        "probability is its threshold; all of them have one axis."
    ),
    "Where the sequence is unknown (N) there is no value.",
)
# By whether measured peaks of other pairs were used.
_BASIS_TEXTS = {
    False: """<b>Predicted from the sequence only.</b> The default threshold of a pair is
the probability exceeded by the TF's mean fraction of bound open-chromatin sites. The
sequence does not show where chromatin is open in a cell line, so these tracks do not
either.""",
    True: """<b>Predicted from the sequence and the measured peaks of other pairs.</b> The
default threshold of a pair is the probability exceeded by its expected fraction of bound
sites. A pair's own peaks are never used. Predictions are less accurate where few other
pairs of the cell line were measured. Chromosomes without measured peaks are predicted
from the sequence only; the receipts list them.""",
}


def pair_table(tracks: list[TrackRecord], card: CardLookup) -> str:
    """Write a table of pairs with expected accuracy and thresholds.

    Parameters
    ----------
    tracks : list of TrackRecord
    card : CardLookup

    Returns
    -------
    str
        HTML: an explanation and the table.
    """
    shown = [(track, card.info(track)) for track in tracks[:_MAX_ROWS]]
    levels = sorted({level for _, info in shown for level in info.fdr_thresholds})
    columns = [
        *("TF", "cell line", "status", "expected AUROC", "peaks", "unconfirmed"),
        *("threshold", *(f"FDR {level:.0%}" for level in levels)),
    ]
    rows = [
        [
            *(escape(name) for name in track.pair),
            escape(track.status),
            _auroc(track),
            f"{track.n_peaks:,}",
            "&ndash;" if info.peak_fdr is None else f"{info.peak_fdr:.0%}",
            _threshold(track.threshold),
            *(_threshold(info.fdr_thresholds.get(level)) for level in levels),
        ]
        for track, info in shown
    ]
    header = "".join(f"<th>{name}</th>" for name in columns)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows
    )
    rest = ""
    if len(tracks) > len(shown):
        rest = f"\n<p>The first {_MAX_ROWS:,} pairs. The file hub.tsv lists all.</p>"
    return f"""<p><i>Expected AUROC</i>: for measured pairs, the AUROC on
{escape(card.test_sites(tracks))}; for imputed pairs, an estimate from the TF and the cell
line, with an interval that contains nine of ten held-out pairs.
{_FDR_TEXT if levels else ""} {card.genome_wide_fdr(tracks)}</p>
<div class="wide"><table class="pairs">
<tr>{header}</tr>
{body}
</table></div>{rest}"""


_FDR_TEXT = """<i>FDR</i>: the lowest probability above which this fraction of open-chromatin
sites is not bound, from measured sites held out from training; for imputed pairs, the
average over held-out pairs. In a whole genome, closed chromatin included, the fraction is
higher. A dash means that no probability reaches this rate, or that it is unknown.
<i>Unconfirmed</i>: the fraction of a measured pair's peaks along a held-out chromosome
that overlap no measured peak."""


def methods_section(tracks: list[TrackRecord], card: CardLookup) -> str:
    """Describe how tracks were made, and what to cite.

    Parameters
    ----------
    tracks : list of TrackRecord
    card : CardLookup

    Returns
    -------
    str
        HTML.
    """
    models = "; ".join(
        f"<b>{escape(name or 'unknown')}</b> <code>{escape(digest)}</code>"
        for name, digest in sorted({(track.model, track.weights) for track in tracks})
    )
    text = f"Made with tfimpute-tracks {escape(__version__)}, an implementation of "
    text += f"TFImpute: {_PAPER}. Weights: {models}."
    known = [model for model in map(card.find, tracks) if model is not None]
    if known:
        facts = known[0].checkpoint.card
        text += (
            f" The weights were made on {escape(str(facts.get('created', 'unknown')))} "
            f"from {card.n_training_pairs} measured pairs (ENCODE, build "
            f"{escape(str(facts.get('build', 'unknown')))})."
        )
    tiles = sorted({(track.seq_len, track.stride) for track in tracks})
    text += "".join(
        f" Tiles of {seq_len} bp, one every {stride} bp, were scored."
        for seq_len, stride in tiles
    )
    text += (
        " Peaks are runs of tiles at or above the threshold of their pair"
        f"{_thresholds(tracks)}."
    )
    genomes = sorted({track.genome for track in tracks if track.genome})
    if genomes:
        text += f" Sequence: {escape(', '.join(genomes))}."
    text += "".join(
        f" Measured tracks of {escape(name)}: {escape(source)}. License: "
        f"{escape(license_)}. Cite: {escape(citation)}"
        for name, source, license_, citation in sorted(_provenance(tracks))
    )
    return f"""<h2>Methods and citation</h2>
<p id="methods">{text}</p>
<p>The receipt next to each track (<code>.receipt.json</code>) lists its
inputs and parameters.</p>"""


def _thresholds(tracks: list[TrackRecord]) -> str:
    if len(tracks) > _MAX_THRESHOLDS:
        return ""
    shown = (f"{tf} {cell} {t.threshold:.3g}" for t in tracks for tf, cell in [t.pair])
    return f" ({escape(', '.join(shown))})"


def _provenance(tracks: Iterable[TrackRecord]) -> set[tuple[str, ...]]:
    """Name, source, license and citation of the evidence of tracks, where known."""
    names = ("name", "source", "license", "citation")
    found = {
        tuple(track.evidence_summary.get(name, "") for name in names)
        for track in tracks
        if track.evidence_summary
    }
    return {facts for facts in found if all(facts)}


def basis_text(tracks: Iterable[TrackRecord]) -> str:
    """State what tracks were predicted from, by their receipts.

    Parameters
    ----------
    tracks : iterable of TrackRecord

    Returns
    -------
    str
        HTML, to follow "predicted from".
    """
    return escape(", or from ".join(sorted({track.basis for track in tracks})))


def _auroc(track: TrackRecord) -> str:
    if track.expected_auroc is None:
        return "unknown"
    interval = track.expected_interval
    ends = f" ({interval[0]:.2f}&ndash;{interval[1]:.2f})" if interval else ""
    return f"{track.expected_auroc:.2f}{ends}"


def _threshold(value: float | None) -> str:
    return "&ndash;" if value is None else f"{value:.4g}"


def _page(title: str, body: str) -> str:
    return fill_template("views/hubs/description.html", {"title": title, "body": body})
