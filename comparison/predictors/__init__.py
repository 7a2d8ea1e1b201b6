"""Predictors of binding that are compared: TFImpute, baselines and other methods.

Each is a ``predictor.Predictor`` and is given the same ``task``: sites and pairs to train
on and to score. ``training_groups`` lists what is trained one by one. ``registry`` finds
predictors by name, also those of other installed packages.
"""

from __future__ import annotations

__all__: list[str] = []
