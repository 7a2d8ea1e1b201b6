"""Explain the score of a tile: contributions of motif instances to its logit.

In the paper's network a logit is a sum, that of the best unit on the better strand:

    logit  =  b2_h  +  sum_{w,k} W2[w, h, k] g_k M[w, k]

and each M[w, k] above zero is one position, the maximum of its pooling window: a motif
instance, whose contribution is its term. This is exact. A network with residual blocks or
a recurrent layer is not a sum. There a contribution is the integrated gradient (Sundararajan
et al., ICML 2017) from a sequence without any motif to this one; contributions add up to
the difference of the two logits, except for a small residual, which is reported. The
contribution of neighboring tiles (``models/context.py``) is a weighted sum of the logits of
the best neighbors, which are explained in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import no_known_tile, read_codes, tiles_to_ends
from tfimpute_tracks.genome import Region, Sequences, read_past_ends
from tfimpute_tracks.kernels.encode import N_CODE, one_hot_tensor, reverse_complement
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

if TYPE_CHECKING:
    from torch import Tensor

    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["Explainer", "Explanation", "MotifInstance"]

_STEPS, _POWER = 128, 3  # of the integral, from no motif to the sequence's motifs

Codes = NDArray[np.uint8]
Doubles = NDArray[np.float64]


class MotifInstance(NamedTuple):
    """A position that a filter detects.

    Attributes
    ----------
    filter : int
    start : int
        First base under the filter, 0-based, on the chromosome.
    strand : str
        ``+`` or ``-``: the strand that the filter reads.
    value : float
        max(0, Y - b).
    contribution : float
        To the log-odds.
    """

    filter: int
    start: int
    strand: str
    value: float
    contribution: float


class Explanation(NamedTuple):
    """The logit of a tile, as a sum.

    Attributes
    ----------
    tile : Region
    logit : float
    baseline : float
        The logit without any motif.
    instances : list of MotifInstance
        The largest contribution first.
    """

    tile: Region
    logit: float
    baseline: float
    instances: list[MotifInstance]

    @property
    def residual(self) -> float:
        """The logit minus the baseline and all contributions."""
        return self.logit - self.baseline - sum(i.contribution for i in self.instances)


class Explainer:
    """A model set up to explain the scores of a pair, by sequence only.

    Parameters
    ----------
    model : Model
    pair : Pair
    """

    def __init__(self, model: Model, pair: Pair) -> None:
        import torch

        self._config = model.config
        self._network = model.network().requires_grad_(False)
        self._pair = torch.tensor(model.vocabulary.pair_indices([pair])).T
        self._scorer = Scorer(model, [pair], use_evidence=False)
        self._calibration = model.sequence_only.calibration(pair)

    def best_tile(self, genome: Sequences, region: Region) -> Region:
        """Find the tile with the highest score in a region.

        Parameters
        ----------
        genome : Sequences
        region : Region
            With the chromosome exactly as in `chrom_sizes`.

        Returns
        -------
        Region
            Of the tiles of a scan with the model's own stride whose score is shown in
            the region; at the end of a chromosome, of the tile there.

        Raises
        ------
        RegionError
            The chromosome is shorter than a tile, or the sequence is unknown.
        """
        stride, length = self._config.stride, self._config.seq_len
        size = genome.chrom_sizes[region.chrom]
        best, start = -np.inf, 0
        for tiles in tiles_to_ends(region, size, length, stride):
            codes = read_codes(genome, tiles, self._scorer.grid)
            logits = self._scorer.score(codes, tiles)[:, 0]
            if not np.isnan(logits).all() and np.nanmax(logits) > best:
                best = float(np.nanmax(logits))
                start = tiles.first + int(np.nanargmax(logits)) * stride
        if np.isneginf(best):
            raise no_known_tile([region])
        return Region(region.chrom, start, start + length)

    def explain(self, genome: Sequences, tile: Region) -> Explanation:
        """Explain the logit of a tile.

        Parameters
        ----------
        genome : Sequences
        tile : Region
            Of `seq_len` bp.

        Returns
        -------
        Explanation
        """
        import torch

        flank = self._scorer.grid.flank
        span = read_past_ends(genome, tile.chrom, tile.start - flank, tile.end + flank)
        stride, length = self._config.stride, self._config.seq_len
        starts = range(0, len(span) - length + 1, stride)
        tiles = np.stack([span[start : start + length] for start in starts])
        single = self._network(torch.from_numpy(tiles), *self._pair)
        logits = single[:, 0].numpy()
        weights, baseline = self._tile_weights(logits, tiles)
        logit = baseline + float(weights @ logits)
        slope, offset = self._calibration
        sums: dict[tuple[int, int, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for i in np.flatnonzero(weights).tolist():
            own_baseline, instances = self._explain_single(tiles[i])
            baseline += float(weights[i]) * own_baseline
            for k, at, strand, value, contribution in instances:
                found = sums[k, tile.start - flank + starts[i] + at, strand]
                found[0] = value
                found[1] += slope * float(weights[i]) * contribution
        listed = [MotifInstance(*key, *found) for key, found in sums.items()]
        listed.sort(key=lambda instance: (-instance.contribution, instance.start))
        logit, baseline = slope * logit + offset, slope * baseline + offset
        return Explanation(tile, logit, baseline, listed)

    def _tile_weights(
        self, logits: NDArray[np.float32], tiles: Codes
    ) -> tuple[Doubles, float]:
        """Compute the weight of each neighbor's logit, and a constant."""
        weights = np.zeros(len(logits))
        context = self._network.context
        own = len(logits) // 2
        if context is None:
            weights[own] = 1
            return weights, 0.0
        unknown = 2 * (tiles >= N_CODE).sum(axis=1) > tiles.shape[1]
        known = np.where(unknown, logits[own], logits)
        for k, weight in enumerate(context.weight.tolist()):
            best = own - k + int(known[own - k : own + k + 1].argmax())
            weights[own if unknown[best] else best] += weight
        return weights, float(context.bias)

    def _explain_single(
        self, codes: Codes
    ) -> tuple[float, Iterator[tuple[int, int, str, float, float]]]:
        """Explain a tile without its neighbors: the baseline, and the instances."""
        import torch

        strands = [codes, reverse_complement(codes)]
        m, positions = _motif_features(self._network, np.stack(strands))
        explain = self._terms if self._config.gates_motifs else self._integrate
        baseline, contributions = explain(m)
        last = len(codes) - self._config.filter_length
        fired = torch.nonzero((m > 0) & (contributions != 0)).tolist()
        return baseline, (
            (
                k,
                last - int(positions[s, w, k]) if s else int(positions[s, w, k]),
                "+-"[s],
                float(m[s, w, k]),
                float(contributions[s, w, k]),
            )
            for s, w, k in fired
        )

    def _terms(self, m: Tensor) -> tuple[float, Tensor]:
        """Compute the terms of the best unit on the better strand."""
        import torch

        from tfimpute_tracks.models.network import TFImpute

        network = self._network
        assert isinstance(network, TFImpute)
        gates = network.gates(*self._pair)[0]
        terms = network.unit_weight * gates * m[:, :, None]  # (2, n_windows, H, K)
        z = network.unit_bias + terms.sum(dim=(1, 3))
        strand, unit = divmod(int(z.argmax()), z.shape[1])
        contributions = torch.zeros_like(m)
        contributions[strand] = terms[strand, :, unit]
        return float(network.unit_bias[unit]), contributions

    def _integrate(self, m: Tensor) -> tuple[float, Tensor]:
        """Compute integrated gradients along the straight line from no motif."""
        import torch

        network = self._network
        # More steps where motifs are weak: norms of small numbers change fastest.
        even = (torch.arange(_STEPS) + 0.5) / _STEPS
        along, weights = even**_POWER, _POWER * even ** (_POWER - 1) / _STEPS
        path = (along[:, None, None, None] * m).requires_grad_()
        logits = network.head(network.body(path[:, 0], path[:, 1]), *self._pair)
        (slopes,) = torch.autograd.grad(logits.sum(), path)
        nothing = torch.zeros_like(m[:1])
        baseline = network.head(network.body(nothing, nothing), *self._pair)
        return float(baseline), m * torch.einsum("s,sdwk->dwk", weights, slopes)


def _motif_features(network: MotifNetwork, codes: Codes) -> tuple[Tensor, Tensor]:
    """Compute motif features as the network does, and where each has its maximum.

    Returns
    -------
    features : float tensor, shape (n, n_windows, K)
    positions : int64 tensor, shape (n, n_windows, K)
        First base under the filter.
    """
    import torch
    from torch.nn import functional

    x = one_hot_tensor(torch.from_numpy(codes)).transpose(1, 2)
    y = functional.conv1d(x, network.filters.transpose(1, 2))
    pool = network.config.pool
    most, positions = functional.max_pool1d(
        y, pool, ceil_mode=True, return_indices=True
    )
    m = torch.relu(most.transpose(1, 2) - network.bias)
    return m, positions.transpose(1, 2)
