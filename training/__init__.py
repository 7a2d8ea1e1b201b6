"""Train networks on prepared data sets: loss, schedule, training loop, resume, log.

An epoch passes each sequence through the network once; its loss is over all the pairs
that the sequence is labeled for. Networks are defined in ``models``, metrics in
``evaluation``.
"""

from tfimpute_tracks.training.export_checkpoint import export_run
from tfimpute_tracks.training.fit import TrainingRun, train_model
from tfimpute_tracks.training.history import draw_curves, write_log
from tfimpute_tracks.training.job import Progress, TrainingJob
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
