"""Options of a data set, and which of them exclude each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from tfimpute_tracks.dataset.labels import LabelRule
from tfimpute_tracks.dataset.sites import Window
from tfimpute_tracks.errors import UsageError

__all__ = ["BuildConfig", "Negatives"]

Negatives = Literal["dhs", "shuffle", "matched"]
"""Where negatives come from; see :class:`BuildConfig`."""

# The file stores positions within a sequence in 16 bits.
_MAX_SEQ_LEN = 2**15 - 1


@dataclass(frozen=True)
class BuildConfig:
    """Options of a data set.

    Parameters
    ----------
    seq_len : int
        Length of each sequence, around the center of its site.
    rule : LabelRule
    negatives : {"dhs", "shuffle", "matched"}
        Candidate sites without a peak near; each positive sequence shuffled with its
        dinucleotide counts preserved (as DeepBind's); windows of the genome of equal GC
        content and repeats (as gkm-SVM's).
    top : int, optional
        Positives are windows around the summits of this many of each pair's strongest
        peaks (5,000 in the paper); without it, candidate sites under peaks.
    alternate : bool
        Odd-numbered peaks of the top ones train and even-numbered ones test (DeepBind's
        protocol, with a top of 1,000): every site has a fold.
    allow_unranked : bool
        Use all peaks of a file without signals or summits, by their center.
    seed : int
        Of shuffles and of the choice of matched negatives.
    min_known : float
        Minimum fraction of A, C, G and T in the sequence of a site, in [0, 1]. In any
        case at most half of its middle may be N.

    Raises
    ------
    UsageError
        The length is not in 1..32767, or another value is out of range.
    """

    seq_len: int = 200
    rule: LabelRule = field(default_factory=LabelRule)
    negatives: Negatives = "dhs"
    top: int | None = None
    alternate: bool = False
    allow_unranked: bool = False
    seed: int = 0
    min_known: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.seq_len <= _MAX_SEQ_LEN:
            raise UsageError(
                f"sequence length {self.seq_len} is not in 1..{_MAX_SEQ_LEN}; "
                f"usual values are 100 to 1000"
            )
        if self.negatives not in get_args(Negatives):
            raise UsageError(
                f"unknown negatives {self.negatives!r}; "
                f"use one of {', '.join(get_args(Negatives))}"
            )
        if self.top is not None and self.top < 1:
            raise UsageError(f"top {self.top} is not positive; the paper uses 5000")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed} is negative; use 0 or more")
        if not 0 <= self.min_known <= 1:
            raise UsageError(
                f"a fraction of {self.min_known:g} known bases is not in 0..1; use 1 "
                "for sequences without N, 0 for any"
            )
        if self.top is None and (self.alternate or self.allow_unranked):
            raise UsageError(
                "--alternate and --allow-unranked apply to the strongest peaks; use "
                "them with --top"
            )

    @property
    def window(self) -> Window:
        """The sequence around a center, and how much of it must be known."""
        return Window(self.seq_len, self.rule.central, self.min_known)

    @property
    def labels_every_pair(self) -> bool:
        """Whether every site has a label for every pair: candidate sites only."""
        return self.top is None and self.negatives == "dhs"

    def check_candidates(self, is_given: bool) -> None:
        """Refuse candidate sites that are not used, or the lack of them.

        Parameters
        ----------
        is_given : bool

        Raises
        ------
        UsageError
        """
        if not is_given and self.negatives == "dhs":
            raise UsageError(
                "negatives dhs are candidate sites: use --candidate-sites, or "
                "--negatives shuffle or matched"
            )
        if not is_given and self.top is None:
            raise UsageError(
                "positives are candidate sites or the strongest peaks: use "
                "--candidate-sites or --top"
            )
        if is_given and self.top is not None and self.negatives != "dhs":
            raise UsageError(
                f"--top with --negatives {self.negatives} uses no candidate sites; "
                f"leave out --candidate-sites, or --top to use them as positives"
            )
