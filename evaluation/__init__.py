"""How well scores separate bound sites from unbound ones.

``metrics`` computes all metrics of pairs and ``fdr`` false discovery rates;
``scored_pairs`` scores a model and its baselines at labeled sites, and ``result`` adds
confidence intervals, tests and controls. ``calibration`` and ``fdr_calibration`` turn
scores into probabilities and thresholds for model cards, ``reliability`` predicts the
AUROC of unmeasured pairs, ``genome_wide`` and ``bins`` look at whole chromosomes.
Training is above this package: it selects its best epoch by these metrics.
"""

from tfimpute_tracks.evaluation.metrics import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evaluation.scored_pairs import evaluate_model

__all__ = [
    "evaluate_model",
    "pair_aurocs",
    "pair_average_precisions",
]
