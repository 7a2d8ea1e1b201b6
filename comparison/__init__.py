"""The evaluation of a model and the comparison of predictors, with their reports.

``evaluation`` is the job of `evaluate`: labeled sites, whole chromosomes in bins
(``chromosome``) and their report (``evaluation_page``, ``calibration_page``).
``comparison`` is the job of `compare`: it trains and scores ``predictors`` (``run``) and
tabulates their metrics (``tables``). ``report`` writes the HTML page of both.
"""

from __future__ import annotations

__all__: list[str] = []
