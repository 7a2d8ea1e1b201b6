"""Pages that explain tracks: what a score means, how far to trust it, whom to cite.

UCSC's browser shows them under a track's settings; they open by themselves as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from html import escape

from tfimpute_tracks import __version__
from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.tracks.track_folder import TrackRecord
from tfimpute_tracks.views.hubs.card_lookup import CardLookup

__all__ = ["how_to_read", "origin", "overview_page", "pair_table", "tf_page"]

_PAPER = (
    "Qin Q, Feng J. Imputation for transcription factor binding predictions based on "
    "deep learning. <i>PLoS Comput Biol</i> 2017;13(2):e1005403, "
    '<a href="https://doi.org/10.1371/journal.pcbi.1005403">'
    "doi:10.1371/journal.pcbi.1005403</a>"
)
_ROWS = 2000  # of a table; more are in hub.tsv


def overview_page(tracks: list[TrackRecord], knowledge: CardLookup) -> str:
    """Write the page of a whole hub.

    Parameters
    ----------
    tracks : list of ShelfTrack
    knowledge : Knowledge

    Returns
    -------
    str
        HTML.
    """
    known = Counter(track.status for track in tracks)
    tfs = {track.pair.tf for track in tracks}
    cells = {track.pair.cell for track in tracks}
    counts = ", ".join(f"{n:,} {name}" for name, n in sorted(known.items()))
    return _page(
        "Transcription factor binding, predicted",
        f"""<p>The probability that a transcription factor (TF) binds a place in a cell
line, predicted from {_basis(tracks)}. {len(tracks):,} pairs of {len(tfs):,} TFs
and {len(cells):,} cell lines: {counts}. The model was trained on
measured sites of a <i>trained</i> pair; an <i>imputed</i> pair was not measured, or held out.</p>
{how_to_read(tracks)}
{origin(tracks, knowledge)}
<h2>Pairs</h2>
{pair_table(tracks, knowledge)}""",
    )


def tf_page(tf: str, tracks: list[TrackRecord], knowledge: CardLookup) -> str:
    """Write the page of a TF's tracks.

    Parameters
    ----------
    tf : str
    tracks : list of ShelfTrack
        Of that TF.
    knowledge : Knowledge

    Returns
    -------
    str
        HTML.
    """
    trained = [track.pair.cell for track in tracks if track.status == "trained"]
    learned = (
        f"The model has learned it from measured sites in {len(trained)} of them: "
        f"{escape(', '.join(trained))}."
        if trained
        else "None of these cell lines was measured, or it was kept from the model."
    )
    return _page(
        f"Binding of {escape(tf)}, predicted",
        f"""<p>The probability that {escape(tf)} (family: {escape(family_of(tf))}) binds
a place, predicted from {_basis(tracks)}, in {len(tracks)} cell
line{"s" * (len(tracks) != 1)}. {learned}</p>
{how_to_read(tracks)}
<h2>Thresholds and reliability</h2>
{pair_table(tracks, knowledge)}
{origin(tracks, knowledge)}""",
    )


def how_to_read(tracks: Iterable[TrackRecord]) -> str:
    """Say what a value means, for the signals that there are.

    Parameters
    ----------
    tracks : iterable of ShelfTrack

    Returns
    -------
    str
        HTML.
    """
    tracks = list(tracks)
    signals = {name for track in tracks for name in track.signals}
    bases = {bool(track.evidence_weights) for track in tracks}
    scores = "\n".join(_BASIS_TEXTS[basis] for basis in sorted(bases))
    more = "".join(
        f"<li><b>{SIGNALS[name].label}</b>: {text}</li>\n"
        for name, text in _SIGNAL_TEXTS.items()
        if name in signals
    )
    return f"""<h2>How to read it</h2>
<ul>
{more}<li><b>Peaks</b> are runs of tiles at or above the pair's threshold. The darker a
peak, the higher its best tile.</li>
<li>Where the sequence is unknown (N) nothing is drawn.</li>
{scores}
</ul>"""


# By whether measured tracks count beside sequence.
_BASIS_TEXTS = {
    False: """<li>Scores from sequence: bound and unbound sites had the same weight in
training, so 0.5 does not mean that half of such places are bound: most are not. Compare
places within one track, and take a threshold from the table; the pair's own is the
score that as many open-chromatin sites exceed as the TF binds on average where it was
measured. Sequence does not tell whether the chromatin of a place is open in a cell
line: what is cell-specific beyond the letters is not in these tracks.</li>""",
    True: """<li>Scores from sequence and measured tracks: the share of open-chromatin
sites with such a score that are bound, as far as pairs kept from the model tell. A
pair's threshold is the score that as many such sites exceed as are expected to be
bound. The pair's own measurements never count; where other tracks are few or far off,
little is known of the cell line. On chromosomes without tracks sequence is all there
is: receipts name them.</li>""",
}

_SIGNAL_TEXTS = {
    "probability": "of binding, of the tile around a place; the better strand's.",
    "log-odds": "ln(p / (1 - p)): differences between places that are all unlikely, or "
    "all likely, show.",
    "specificity": "the probability less its mean over the cell lines of the same TF: "
    "what sets this cell line apart.",
    "calibrated": "the share of open-chromatin sites with such a score that are bound, "
    "as found with pairs that were kept from a model. In closed chromatin it is less.",
}


def pair_table(tracks: list[TrackRecord], knowledge: CardLookup) -> str:
    """Write a table of pairs: what is known of each, and scores at several FDRs.

    Parameters
    ----------
    tracks : list of ShelfTrack
    knowledge : Knowledge

    Returns
    -------
    str
        HTML.
    """
    shown = tracks[:_ROWS]
    facts = [knowledge.of(track) for track in shown]
    levels = sorted({level for fact in facts for level in fact.fdr_thresholds})
    heads = [
        *("TF", "cell line", "status", "expected AUROC", "peaks", "unconfirmed"),
        "threshold",
        *(f"FDR {level:.0%}" for level in levels),
    ]
    rows = []
    for track, fact in zip(shown, facts, strict=True):
        auroc = track.expected_auroc
        cells = [
            *(escape(name) for name in track.pair),
            escape(track.status),
            _expected(auroc, track.expected_interval),
            f"{track.n_peaks:,}",
            "&ndash;" if fact.peak_fdr is None else f"{fact.peak_fdr:.0%}",
            f"{track.threshold:.4f}",
            *(_threshold(fact.fdr_thresholds.get(level)) for level in levels),
        ]
        rows.append("".join(f"<td>{cell}</td>" for cell in cells))
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    rest = ""
    if len(tracks) > len(shown):
        rest = f"<p>The first {_ROWS:,} pairs; all are in hub.tsv.</p>"
    tests = escape(knowledge.test_sites(tracks))
    return f"""<p>Of a measured pair the <i>AUROC</i> is that on {tests};
of an imputed one it is what to expect by what is known of its TF and its cell line, and
nine of ten such pairs lie within the interval in brackets, where there is one.
{_fdr_text(levels)} {_along_the_genome(tracks, knowledge)}</p>
<table class="pairs">
<tr>{head}</tr>
{body}
</table>
{rest}"""


def _fdr_text(levels: list[float]) -> str:
    if not levels:
        return ""
    return (
        "<i>FDR</i>: the lowest score above which that share of open-chromatin sites "
        "is not bound, by measured sites that trained nothing; for imputed pairs, what "
        "held on average for pairs that were kept from the model. Over a whole genome, "
        "closed chromatin included, more are not bound. A dash: no score does it, or "
        "it is not known. <i>Unconfirmed</i>: where a whole chromosome was kept for "
        "tests, the share of a measured pair's peaks along it that no measured peak "
        "confirms."
    )


def _along_the_genome(tracks: list[TrackRecord], knowledge: CardLookup) -> str:
    if any(map(knowledge.knows, tracks)):
        return knowledge.along_the_genome()
    return ""


def _basis(tracks: Iterable[TrackRecord]) -> str:
    return escape(", or from ".join(sorted({track.basis for track in tracks})))


def _expected(auroc: float | None, interval: tuple[float, float] | None) -> str:
    if auroc is None:
        return "unknown"
    around = f" ({interval[0]:.2f}&ndash;{interval[1]:.2f})" if interval else ""
    return f"{auroc:.2f}{around}"


def _threshold(value: float | None) -> str:
    # Scores that few calls are wrong by lie near 1: four decimals hide them.
    return "&ndash;" if value is None else f"{value:.6f}"


def origin(tracks: list[TrackRecord], knowledge: CardLookup) -> str:
    """Say what made the tracks, and how to cite it.

    Parameters
    ----------
    tracks : list of ShelfTrack
    knowledge : Knowledge

    Returns
    -------
    str
        HTML.
    """
    made = sorted({(track.model, track.weights) for track in tracks})
    models = "; ".join(
        f"<b>{escape(name or 'unknown')}</b> <code>{escape(digest)}</code>"
        for name, digest in made
    )
    genomes = sorted({track.genome for track in tracks if track.genome})
    sequence = f" Sequence: {escape(', '.join(genomes))}." if genomes else ""
    card = ""
    if knowledge.model is not None and any(map(knowledge.knows, tracks)):
        data = knowledge.model.card
        n_pairs = sum(
            bool(e.get("trained")) for e in knowledge.model.measured_pairs.values()
        )
        card = (
            f" The weights are of {escape(str(data.get('created', 'unknown date')))}, "
            f"learned from {n_pairs} measured pairs (ENCODE, build "
            f"{escape(str(data.get('build', 'unknown')))})."
        )
    return f"""<h2>Methods and citation</h2>
<p>Made with tfimpute-tracks {escape(__version__)}, an implementation of TFImpute:
{_PAPER}. Weights: {models}.{card}{sequence} What a file was made of stands in the
receipt beside it (<code>.receipt.json</code>).</p>"""


def _page(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>table.pairs {{ border-collapse: collapse }}
table.pairs td, table.pairs th {{ padding: 0 .8em 0 0; text-align: left }}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
