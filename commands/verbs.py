"""The verbs of the command line: where each one is, and the line that lists it.

The command line builds its parser from this table and imports the verb that is asked
for, no other: reading the options of all of them takes as long as a short run.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

__all__ = ["GROUPS", "VERBS", "Verb", "load_verb"]


class Verb(NamedTuple):
    """A verb.

    Attributes
    ----------
    panel : str
        The heading it stands under in `--help`.
    summary : str
        What it does, in one line: the first line of its own help.
    place : str
        Module of this package and function.
    """

    panel: str
    summary: str
    place: str


_TRACKS, _BULK, _LOOK = "Tracks", "Many pairs", "Look"
_ASK, _LEARN, _EVALUATE, _FILES = "Ask", "Learn", "Evaluate", "Models and files"

# {verb: Verb}, in the order of `--help`. A verb of a group has two words.
VERBS = {
    "scan": Verb(
        _TRACKS,
        "Predict tracks of one or a few pairs: bigWig, narrowPeak, bigBed.",
        "scan:scan",
    ),
    "hub": Verb(
        _TRACKS,
        "Write a UCSC track hub and IGV sessions for a folder of tracks.",
        "hub:hub",
    ),
    "report": Verb(
        _TRACKS,
        "Write a self-contained HTML report: tracks, peak counts, expected accuracy.",
        "report:report",
    ),
    "impute": Verb(
        _BULK,
        "Impute many pairs at once into a store that `export` and `query` read.",
        "impute:impute",
    ),
    "export": Verb(
        _BULK, "Write tracks of any pairs and regions of a bulk store.", "export:export"
    ),
    "catalogue": Verb(
        _BULK,
        "Write a table of all pairs of a store, and a projection by similarity.",
        "catalogue:catalogue",
    ),
    "browse": Verb(
        _LOOK,
        "Serve a genome browser page that computes any pair while you browse.",
        "browse:browse",
    ),
    "plot": Verb(
        _LOOK,
        "Draw the tracks, peaks and genes of a region, ready for print.",
        "plot:plot",
    ),
    "query": Verb(
        _ASK,
        "Rank the pairs at a locus by probability, next to what was measured there.",
        "query:query",
    ),
    "variants": Verb(
        _ASK,
        "Score both alleles of variants: tables of effects and an annotated VCF.",
        "variants:variants",
    ),
    "mutagenesis": Verb(
        _ASK,
        "In-silico saturation mutagenesis: score every substitution of a region.",
        "mutagenesis:mutagenesis",
    ),
    "explain": Verb(
        _ASK,
        "Explain scores by the contributions of motif instances: BED and a table.",
        "explain:explain",
    ),
    "enhancers": Verb(
        _ASK,
        "Summarize predicted binding of elements, and compare it with their activity.",
        "enhancers:enhancers",
    ),
    "embeddings": Verb(
        _ASK,
        "Draw dendrograms and projections of embeddings, and test families of TFs.",
        "embeddings:embeddings",
    ),
    "motifs": Verb(
        _ASK,
        "Turn filters into motifs, match them with JASPAR, and list their "
        "contributions.",
        "motifs:motifs",
    ),
    "extend": Verb(
        _LEARN,
        "Add your TFs and cell lines to a model, from one or a few tracks, in minutes.",
        "extend:extend",
    ),
    "evidence build": Verb(
        _LEARN,
        "Collect the peaks of measured pairs in one indexed file.",
        "evidence:build",
    ),
    "evidence info": Verb(
        _LEARN,
        "Summarize an evidence file, or list the tracks of a TF or cell line.",
        "evidence:info",
    ),
    "evidence lift": Verb(
        _LEARN, "Lift an evidence file to another assembly.", "evidence_lift:lift"
    ),
    "evidence train": Verb(
        _LEARN,
        "Train weights that condition a model's predictions on measured peaks.",
        "evidence_train:train",
    ),
    "prepare": Verb(
        _LEARN,
        "Make a data set of labeled sites for every TF and cell line of a table.",
        "prepare:prepare",
    ),
    "split": Verb(
        _LEARN,
        "Hold out pairs so that every TF and cell line is still trained on.",
        "split:split",
    ),
    "train": Verb(_LEARN, "Train a model on a prepared data set.", "train:train"),
    "evaluate": Verb(
        _EVALUATE,
        "Evaluate a model at labeled sites: metrics, intervals, controls, a report.",
        "evaluate:evaluate",
    ),
    "compare": Verb(
        _EVALUATE,
        "Compare predictors at labeled sites: metrics.json, per_pair.tsv, a report.",
        "compare:compare",
    ),
    "card": Verb(
        _EVALUATE,
        "Complete a model card: calibration, FDR and expected AUROC of unmeasured "
        "pairs.",
        "card:card",
    ),
    "selftest": Verb(
        _EVALUATE,
        "Compare every engine with the reference network on this machine.",
        "selftest:selftest",
    ),
    "info": Verb(
        _FILES,
        "List models, TFs, cell lines or pairs, with status and expected accuracy.",
        "info:info",
    ),
    "cache": Verb(
        _FILES,
        "Show the size of the tile cache, prune it to a limit, or clear it.",
        "cache:cache",
    ),
}
# {first word of the verbs of a group: (panel, summary)}
GROUPS = {
    "evidence": (
        _LEARN,
        "Measured peaks to condition predictions on: build, inspect, lift, train.",
    )
}


def load_verb(name: str) -> Callable[..., Any]:
    """Import the function of a verb.

    Parameters
    ----------
    name : str
        A key of `VERBS`.

    Returns
    -------
    callable
        Its options are its parameters.
    """
    module, _, function = VERBS[name].place.partition(":")
    found: Callable[..., Any] = getattr(
        import_module(f"tfimpute_tracks.commands.{module}"), function
    )
    return found
