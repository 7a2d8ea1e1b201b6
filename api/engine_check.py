"""Every engine of this machine, compared with the reference network: one call."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.values import MAX_SEED, check_model, check_number, check_whole
from tfimpute_tracks.errors import RunError, check_packages
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks.selfcheck import (
    EXACT_TOLERANCE,
    SelfCheck,
    run_selfcheck,
)

__all__ = ["CheckedEngines", "check_engines"]


class CheckedEngines(NamedTuple):
    """Differences from the reference network.

    Attributes
    ----------
    records : list of SelfCheck
        One for each engine, sequence and stride.
    """

    records: list[SelfCheck]

    @property
    def exact(self) -> float:
        """The largest difference of a probability of the exact engines."""
        exact = (r.difference for r in self.records if r.engine.endswith("exact"))
        return max(exact)

    def check(self) -> None:
        """Refuse an engine that differs too much.

        Raises
        ------
        RunError
            With the largest difference.
        """
        worst = max(self.records, key=lambda r: r.difference / r.tolerance)
        if not worst.difference <= worst.tolerance:
            raise RunError(
                f"engine {worst.engine} differs by {worst.difference:.1e} from the reference "
                f"network on {worst.sequence} at stride {worst.stride}, more than "
                f"{worst.tolerance:g}; use another --device or --precision, and report it"
            )


def check_engines(
    model: str | Path = "default",
    *,
    seed: int = 0,
    tolerance: float = EXACT_TOLERANCE,
) -> CheckedEngines:
    """Compare every engine with the reference network on this machine.

    Parameters
    ----------
    model : str or Path
    seed : int
        Of the random sequence and the choice of pairs.
    tolerance : float
        Of probabilities of the exact engines.

    Returns
    -------
    CheckedEngines
        :meth:`CheckedEngines.check` raises if one differs more.

    Raises
    ------
    UsageError, InputFileError
        A value is invalid, or the weights cannot be read.
    """
    check_model(model)
    check_whole(seed, "seed", 0, MAX_SEED)
    check_packages("`selftest`", "torch")
    limit = check_number(tolerance, "tolerance", 1e-12)
    return CheckedEngines(run_selfcheck(load_model(model), seed, limit))
