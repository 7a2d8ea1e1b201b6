"""The report section on scores as thresholds and as probabilities."""

from __future__ import annotations

from tfimpute_tracks.comparison.report import ReportTable, Section
from tfimpute_tracks.evaluation.calibration_check import CalibrationCheck
from tfimpute_tracks.plots.calibration import calibration_curves

__all__ = ["calibration_section"]

_TEXT = """A score is not the probability of being bound: in training, bound and unbound
sites had the same weight. The table lists precision, recall and false discovery rate
(FDR) of scores used as thresholds on the evaluated sites; thresholds.tsv has them by TF,
too. Along a whole chromosome, closed chromatin included, the FDR is higher.

A calibrated score estimates the fraction of open-chromatin sites with this score that
are bound. The expected calibration error is the mean gap between estimate and observed
fraction. Where few sites are bound, any predictor with low estimates has a small
error."""


def calibration_section(check: CalibrationCheck) -> Section:
    """Show thresholds and calibration as tables and a figure.

    Parameters
    ----------
    check : CalibrationCheck

    Returns
    -------
    Section
    """
    table = check.thresholds
    roles = table[table["group"].str.startswith("role ")]
    thresholds = ReportTable(
        ("pairs", "threshold", "sites called", "precision", "recall", "F1", "FDR"),
        [
            [
                row.group.removeprefix("role "),
                f"{row.threshold:g}",
                int(row.called),
                *(row.precision, row.recall, row.f1, row.fdr),
            ]
            for row in roles.itertuples()
        ],
        "Sites of all pairs of a role are pooled; a dash: nothing is called.",
    )
    errors = ReportTable(
        ("pairs", "error of the score", "calibrated"),
        [[role, *values.values()] for role, values in check.errors.items()],
        "Expected calibration error, 15 bins of equal width; a dash: the model card "
        "contains no calibration.",
    )
    curves = {
        role: tuple(curve[name].to_numpy(float) for name in curve.columns)
        for role, curve in check.curves.items()
    }
    figures = [calibration_curves(curves)] if curves else []
    return Section("Thresholds and calibration", _TEXT, (errors, thresholds), figures)
