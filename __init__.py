"""Where a transcription factor would bind, as genome browser tracks.

The library's names stand here, and nothing is imported before one of them is used.

Examples
--------
>>> from tfimpute_tracks import load_model
>>> pairs = ["CTCF:K562", "RAD21:GM12878", "MAX:GM12891"]
>>> len(load_model().scan(None, "chr20:48,590,001-48,610,000", pairs).call_peaks())
6
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfimpute_tracks.api.evidence import build_evidence, open_evidence
    from tfimpute_tracks.api.learning import embeddings, evaluate, extend, train
    from tfimpute_tracks.api.model import Model, load_model
    from tfimpute_tracks.api.scan import Scan
    from tfimpute_tracks.api.store import Store, open_store

__version__ = "0.1.0"
__all__ = [
    "Model",
    "Scan",
    "Store",
    "build_evidence",
    "embeddings",
    "evaluate",
    "extend",
    "load_model",
    "open_evidence",
    "open_store",
    "train",
]

_MODULES = {
    "evidence": ("build_evidence", "open_evidence"),
    "learning": ("embeddings", "evaluate", "extend", "train"),
    "model": ("Model", "load_model"),
    "scan": ("Scan",),
    "store": ("Store", "open_store"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

if not TYPE_CHECKING:  # for type checkers a name is what the import above says

    def __getattr__(name: str) -> object:
        """Import one of the library's names when it is first used."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.api.{_HOME[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the names, imported or not."""
        return sorted({*globals(), *__all__})
