"""The section of a page that says what scores are worth, and whether promises held."""

from __future__ import annotations

from tfimpute_tracks.comparison.report import Section, Table
from tfimpute_tracks.evaluation.calibration_check import CalibrationCheck
from tfimpute_tracks.plots.calibration import calibration_curves

__all__ = ["calibration_section"]

_TEXT = """A score is no probability of being bound: training made bound and unbound
sites equally frequent. The table says what each score is worth as a threshold among the
judged sites; tables by TF are in score_table.tsv. Along a whole chromosome, closed
chromatin included, more calls are wrong.

Calibrated, a score is the share of open-chromatin sites with such a score that are
bound. The expected calibration error is the mean gap between the two; where few sites
are bound it is small for any predictor that promises little."""


def calibration_section(promises: CalibrationCheck) -> Section:
    """Put promises and what came of them into tables and a picture.

    Parameters
    ----------
    promises : Promises

    Returns
    -------
    Section
    """
    table = promises.scores
    roles = table[table["group"].str.startswith("role ")]
    worth = Table(
        ("pairs", "score", "sites called", "precision", "recall", "F1", "FDR"),
        [
            [
                row.group.removeprefix("role "),
                f"{row.score:g}",
                int(row.called),
                *(row.precision, row.recall, row.f1, row.fdr),
            ]
            for row in roles.itertuples()
        ],
        "Sites of all pairs of a role are pooled; a dash: nothing is called.",
    )
    errors = Table(
        ("pairs", "error of the score", "calibrated"),
        [[role, *told.values()] for role, told in promises.errors.items()],
        "Expected calibration error, 15 bins of equal width; a dash: the model's card "
        "has no calibration.",
    )
    curves = {
        role: tuple(curve[name].to_numpy(float) for name in curve.columns)
        for role, curve in promises.curves.items()
    }
    figures = [calibration_curves(curves)] if curves else []
    return Section("What scores are worth", _TEXT, (errors, worth), figures)
