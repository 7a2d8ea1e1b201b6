"""How far to trust tracks: one panel that a reader takes in within a minute.

It states what receipts and model cards know, pair by pair and then in words, and last
what would make the predictions wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tfimpute_tracks.errors import counted, listed
from tfimpute_tracks.models.catalog import mean_accuracy
from tfimpute_tracks.models.expectation import expression
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.views.hubs.card_lookup import CardLookup

__all__ = ["trust_panel"]

_MAX_ROWS = 12  # of the table; the table of thresholds has all pairs
_MAX_NAMED = 4  # pairs in a sentence
_FEW = 2  # tracks, up to which predictions are known to be less accurate
_POOR = 0.8  # AUROC
_LITTLE_RNA = 1.0  # log2(1 + TPM) of 1 TPM


def trust_panel(tracks: Sequence[TrackRecord], card: CardLookup) -> str:
    """Write the panel.

    Parameters
    ----------
    tracks : sequence of TrackRecord
        At least one.
    card : CardLookup

    Returns
    -------
    str
        HTML.
    """
    facts = {
        "Accuracy": _accuracy(tracks, card),
        "Measured?": _measured(tracks),
        "Evidence": _evidence(tracks, card),
        "Probability": _calibration(tracks, card),
    }
    rows = "\n".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts.items())
    risks = "\n".join(f"<li>{text}</li>" for text in _risks(tracks, card))
    return f"""{_table(tracks, card)}
<dl>
{rows}
<dt>What can be wrong</dt><dd><ul>
{risks}
</ul></dd>
</dl>"""


def _table(tracks: Sequence[TrackRecord], card: CardLookup) -> str:
    with_evidence = any("tf_tracks" in (t.evidence_summary or {}) for t in tracks)
    columns = ["Pair", "Status", "AUROC", "Average precision"]
    if with_evidence:
        columns += ["Other tracks of the TF", "of the cell line", "Open chromatin"]
    rows = []
    for track in tracks[:_MAX_ROWS]:
        cells = [
            escape(_name(track)),
            escape(track.status),
            _with_interval(track.expected_auroc, track.expected_interval),
            _with_interval(*_precision(track, card)),
        ]
        if with_evidence:
            known = track.evidence_summary or {}
            n_open = known.get("accessibility_tracks")
            cells += [
                str(known.get(key, "&ndash;")) for key in ("tf_tracks", "cell_tracks")
            ]
            cells.append("&ndash;" if n_open is None else "yes" if n_open else "no")
        rows.append(cells)
    header = "".join(f'<th scope="col">{name}</th>' for name in columns)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows
    )
    n_more = len(tracks) - len(rows)
    more = (
        f'\n<p class="note">{counted(n_more, "more pair")} below.</p>' if n_more else ""
    )
    return f"""<div class="wide"><table class="pairs">
<tr>{header}</tr>
{body}
</table></div>{more}"""


def _name(track: TrackRecord) -> str:
    return f"{track.pair.tf} {track.pair.cell}"


def _named(tracks: Sequence[TrackRecord]) -> str:
    return escape(listed(map(_name, tracks), _MAX_NAMED))


def _precision(
    track: TrackRecord, card: CardLookup
) -> tuple[float | None, tuple[float, float] | None]:
    model, metric = card.find(track), "average_precision"
    if model is None:
        return None, None
    return model.expected(track.pair, metric), model.expected_interval(
        track.pair, metric
    )


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "unknown"
    ends = f" ({interval[0]:.2f}&ndash;{interval[1]:.2f})" if interval else ""
    return f"{value:.2f}{ends}"


def _accuracy(tracks: Sequence[TrackRecord], card: CardLookup) -> str:
    text = (
        "AUROC: how often a bound site scores higher than one that is not bound; 0.5 is "
        "chance. Average precision: the fraction of bound sites among those that score at "
        "least as high as a bound one, on average over the bound ones. "
        f"Both are of open-chromatin sites on {escape(card.test_sites(tracks))}."
    )
    if any(track.expected_interval for track in tracks):
        text += (
            " Those of imputed pairs are estimates; nine of ten held-out pairs are within "
            "the interval."
        )
    return text


def _measured(tracks: Sequence[TrackRecord]) -> str:
    measured = [track for track in tracks if track.status == "measured"]
    n_imputed = len(tracks) - len(measured)
    if not measured:
        one = "The pair is" if n_imputed == 1 else f"All {n_imputed:,} pairs are"
        return f"{one} imputed: there are no measured peaks to compare with."
    verb, what = ("is", "track") if len(measured) == 1 else ("are", "tracks")
    rest = f" {counted(n_imputed, 'pair')} {'is' if n_imputed == 1 else 'are'} imputed."
    return (
        f"{_named(measured)} {verb} measured, so the {what} can be compared with measured "
        f"peaks.{rest if n_imputed else ''}"
    )


def _evidence(tracks: Sequence[TrackRecord], card: CardLookup) -> str:
    known = [track for track in tracks if track.evidence_summary]
    parts = []
    for name in dict.fromkeys((t.evidence_summary or {})["name"] for t in known):
        first = next(t for t in known if (t.evidence_summary or {})["name"] == name)
        summary = first.evidence_summary or {}
        fraction = summary.get("fraction_in_coverage", 1.0)
        where = "all" if fraction == 1 else f"{fraction:.1%}"
        parts.append(
            f"{counted(summary['tracks'], 'measured track')} of {escape(name)}, with data "
            f"for {where} of the regions. A pair's own peaks are never used."
        )
    if len(known) < len(tracks):
        which = (
            "" if not known else f" for {_named([t for t in tracks if t not in known])}"
        )
        parts.append(f"None{which}: sequence only.{_cost(card)}")
    return " ".join(parts)


def _cost(card: CardLookup) -> str:
    means = [mean_accuracy(model) for model in card.models]
    if len(means) < 2 or means[0] is None or means[1] is None:
        return ""
    return (
        f" With evidence the mean AUROC of measured pairs is {means[1][0]:.2f} in place of "
        f"{means[0][0]:.2f}."
    )


def _calibration(tracks: Sequence[TrackRecord], card: CardLookup) -> str:
    models = [card.find(track) for track in tracks]
    if not all(models):
        return "Its calibration is unknown: the tracks were made with other weights."
    if not all(model.is_calibrated for model in models if model):
        return "Not calibrated: a score, and not the fraction of sites that are bound."
    return (
        "Calibrated on held-out pairs: of open-chromatin sites with 0.8, eight in ten are "
        f"bound. In closed chromatin fewer are. {card.genome_wide_fdr(tracks)}"
    )


def _risks(tracks: Sequence[TrackRecord], card: CardLookup) -> Iterator[str]:
    """List what would make the predictions wrong, the particular first."""
    foreign = [track for track in tracks if card.find(track) is None]
    if foreign:
        yield (
            f"{_named(foreign)}: made with other weights than those of the model that "
            "describes them here."
        )
    poor = [
        t for t in tracks if t.expected_auroc is not None and t.expected_auroc < _POOR
    ]
    if poor:
        yield f"{_named(poor)}: the expected AUROC is below {_POOR}."
    yield from _missing_evidence(tracks)
    yield from _missing_rna(tracks, card)
    yield (
        "Your cells are in another state than those that were measured, for example "
        "treated or differentiated."
    )
    if any(not track.evidence_summary for track in tracks):
        yield (
            "Chromatin is closed in this cell line: the sequence does not show where it is "
            "open."
        )


def _missing_evidence(tracks: Sequence[TrackRecord]) -> Iterator[str]:
    chroms = dict.fromkeys(
        chrom
        for track in tracks
        for chrom in (track.evidence_summary or {}).get("sequence_only", ())
    )
    if chroms:
        yield f"{escape(listed(chroms))}: no measured track, so the sequence only."
    for key, what in (("tf_tracks", "TF"), ("cell_tracks", "cell line")):
        few = [
            track
            for track in tracks
            if (track.evidence_summary or {}).get(key, _FEW + 1) <= _FEW
        ]
        if few:
            yield (
                f"{_named(few)}: at most {_FEW} other tracks of the {what}; such pairs are "
                "predicted less well."
            )
    closed = [
        track
        for track in tracks
        if not (track.evidence_summary or {}).get("accessibility_tracks", 1)
    ]
    if closed:
        yield f"{_named(closed)}: the open chromatin of the cell line is not known."


def _missing_rna(tracks: Sequence[TrackRecord], card: CardLookup) -> Iterator[str]:
    silent = []
    for track in tracks:
        if card.find(track) is None or track.status != "imputed":
            continue
        # Only the card of scores with evidence lists RNA.
        found = (expression(m.card, m.cells, *track.pair) for m in card.models)
        if any(amount is not None and amount < _LITTLE_RNA for amount in found):
            silent.append(track)
    if silent:
        yield f"{_named(silent)}: hardly any RNA of the TF in the cell line."
