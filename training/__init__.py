"""From a prepared data set to weights: objective, schedule, loop, resume, log.

Each sequence is read once per epoch and teaches every pair it is labelled for. What
the network is stands in `models`, how it is judged in `evaluation`.
"""

from tfimpute_tracks.training.export_checkpoint import export_run
from tfimpute_tracks.training.fit import Progress, TrainingJob, TrainingRun, train_model
from tfimpute_tracks.training.history import draw_curves, write_log
from tfimpute_tracks.training.quick_fit import train_quickly
from tfimpute_tracks.training.recipe import Recipe

__all__ = [
    "Progress",
    "Recipe",
    "TrainingJob",
    "TrainingRun",
    "draw_curves",
    "export_run",
    "train_model",
    "train_quickly",
    "write_log",
]
