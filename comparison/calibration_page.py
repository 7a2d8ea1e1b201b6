"""The report section on probabilities and thresholds."""

from __future__ import annotations

from tfimpute_tracks.comparison.report import ReportTable, Section
from tfimpute_tracks.evaluation.calibration_check import CalibrationCheck
from tfimpute_tracks.plots.calibration import calibration_curves

__all__ = ["calibration_errors", "calibration_section"]

_TEXT = """The probability is the fraction of open-chromatin sites with the same score that
are bound. The score is the network's own output: in training, bound and unbound sites had
the same weight, so it is no such fraction. The expected calibration error is the mean gap
between what is predicted and the observed fraction. Where few sites are bound, any
predictor with low values has a small error.

The table lists precision, recall and false discovery rate (FDR) of thresholds on the
probability at the evaluated sites; thresholds.tsv has them by TF, too. Along a whole
chromosome, closed chromatin included, the FDR is higher."""


def calibration_errors(check: CalibrationCheck) -> ReportTable:
    """List the expected calibration error by role of pairs.

    Parameters
    ----------
    check : CalibrationCheck

    Returns
    -------
    ReportTable
    """
    return ReportTable(
        ("pairs", "probability", "score"),
        [
            [role, values["probability"], values["score"]]
            for role, values in check.errors.items()
        ],
        "Expected calibration error, 15 bins of equal width.",
    )


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
    curves = {
        role: tuple(curve[name].to_numpy(float) for name in curve.columns)
        for role, curve in check.curves.items()
    }
    figures = [calibration_curves(curves)]
    return Section(
        "Thresholds and calibration",
        _TEXT,
        (calibration_errors(check), thresholds),
        figures,
    )
