"""How well a model's scores tell bound sites from others.

Metrics of scores against labels, and the tables that `evaluate` and model cards show;
``discovery`` and ``genome_wide`` tell how many calls are wrong, ``worth`` what a card
says of it. It sits below training, which chooses its best epoch by these figures.
"""

from tfimpute_tracks.evaluation.metrics import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evaluation.tables import Evaluation, evaluate_model

__all__ = [
    "Evaluation",
    "evaluate_model",
    "pair_aurocs",
    "pair_average_precisions",
]
