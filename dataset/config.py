"""What a data set is made with, and which wishes make no sense together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from tfimpute_tracks.dataset.labels import LabelRule
from tfimpute_tracks.dataset.sites import Window
from tfimpute_tracks.errors import UsageError

__all__ = ["BuildConfig", "Negatives"]

Negatives = Literal["dhs", "shuffle", "matched"]
"""Where negatives come from; see :class:`BuildConfig`."""

# The file keeps the place of an N within its sequence in 16 bits.
_MAX_SEQ_LEN = 2**15 - 1


@dataclass(frozen=True)
class BuildConfig:
    """What sites and labels are made with.

    Parameters
    ----------
    seq_len : int
        Length of each sequence, centered on the center of its background interval.
    rule : LabelRule
    negatives : {"dhs", "shuffle", "matched"}
        Sites of the background without a peak near; each positive sequence shuffled
        with its dinucleotide counts kept (as DeepBind's); windows of the genome of
        equal GC content and repeats (as gkm-SVM's).
    top : int, optional
        Positives are windows about the summits of so many of each pair's strongest
        peaks (5,000 in the paper); without it, sites of the background under peaks.
    alternate : bool
        Odd-numbered peaks of the top ones train and even-numbered ones test (DeepBind's
        protocol, with a top of 1,000): every site has a fold.
    allow_unranked : bool
        Take all peaks of a file without signals or summits by their center.
    seed : int
        Of shuffles and of the choice of matched negatives.
    min_known : float
        Least share of a sequence that must be A, C, G or T for it to be a site, in
        [0, 1], beside the rule that at most half of its middle may be N.

    Raises
    ------
    UsageError
        The length is not in 1..32767, or another value makes no sense.
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
                f"the usual ones are 100 to 1000"
            )
        if self.negatives not in get_args(Negatives):
            raise UsageError(
                f"unknown negatives {self.negatives!r}; "
                f"give one of {', '.join(get_args(Negatives))}"
            )
        if self.top is not None and self.top < 1:
            raise UsageError(f"top {self.top} is not positive; the paper takes 5000")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed} is negative; give 0 or more")
        if not 0 <= self.min_known <= 1:
            raise UsageError(
                f"a share of {self.min_known:g} known letters is not in 0..1; give 1 "
                "for sequences without N, 0 for any"
            )
        if self.top is None and (self.alternate or self.allow_unranked):
            raise UsageError(
                "--alternate and --allow-unranked are about the strongest peaks; "
                "give --top as well"
            )

    @property
    def window(self) -> Window:
        """How much is read about a center, and how much of it must be known."""
        return Window(self.seq_len, self.rule.central, self.min_known)

    @property
    def is_plain(self) -> bool:
        """Whether every site says something of every pair: background sites only."""
        return self.top is None and self.negatives == "dhs"

    def check_background(self, is_given: bool) -> None:
        """Refuse a background that nobody needs, or the lack of one.

        Parameters
        ----------
        is_given : bool

        Raises
        ------
        UsageError
        """
        if not is_given and self.negatives == "dhs":
            raise UsageError(
                "negatives dhs are sites of a background: give --background, or "
                "--negatives shuffle or matched"
            )
        if not is_given and self.top is None:
            raise UsageError(
                "positives are sites of a background or the strongest peaks: "
                "give --background or --top"
            )
        if is_given and self.top is not None and self.negatives != "dhs":
            raise UsageError(
                f"--top with --negatives {self.negatives} uses no background; "
                f"leave out --background, or --top to take its sites as positives"
            )
