"""Which motifs carried the score of a tile: the logit, taken apart.

With the paper's network a logit is a sum, the winning unit's on the better strand:

    logit  =  b2_h  +  sum_{w,k} W2[w, h, k] g_k M[w, k]

and each M[w, k] above zero is one place, the maximum of its pooling window: a motif
instance, whose part is its term. That is exact. A network with residual blocks or a
recurrent layer is no sum. There a part is the integrated gradient (Sundararajan et al.,
ICML 2017) from a sequence without any motif to this one; parts add up to the difference
of the two logits but for a small rest, which is told. What a tile's neighbors add
(``models/context.py``) is a weighted sum of the winning neighbors' logits, and is
taken apart like them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange, read_codes
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, Sequences, read_past_ends
from tfimpute_tracks.kernels.encode import N_CODE, one_hot_tensor, reverse_complement
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

if TYPE_CHECKING:
    from torch import Tensor

    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["Explainer", "Explanation", "Instance"]

_STEPS, _DENSE = 128, 3  # of the way from no motif to the sequence's

Codes = NDArray[np.uint8]
Doubles = NDArray[np.float64]


class Instance(NamedTuple):
    """A place that a filter found.

    Attributes
    ----------
    filter : int
    start : int
        First of the filter's letters, 0-based, on the chromosome.
    strand : str
        ``+`` or ``-``: that on which the filter reads it.
    value : float
        max(0, Y - b).
    part : float
        What it adds to the log-odds.
    """

    filter: int
    start: int
    strand: str
    value: float
    part: float


class Explanation(NamedTuple):
    """The logit of a tile, taken apart.

    Attributes
    ----------
    tile : Region
    logit : float
    base : float
        What is left without any motif.
    instances : list of Instance
        The largest part first.
    """

    tile: Region
    logit: float
    base: float
    instances: list[Instance]

    @property
    def rest(self) -> float:
        """The logit less the base and all parts."""
        return self.logit - self.base - sum(i.part for i in self.instances)


class Explainer:
    """A model set up to explain scores of a pair by sequence.

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
        self._grid = self._scorer.grid

    def best_tile(self, genome: Sequences, region: Region) -> Region:
        """Find the tile of the highest score that is drawn in a region.

        Parameters
        ----------
        genome : Sequences
        region : Region
            The chromosome exactly as in `chrom_sizes`.

        Returns
        -------
        Region
            Of those that a scan with the model's own stride makes.

        Raises
        ------
        RegionError
            No tile with a value is drawn there.
        """
        stride, length = self._config.stride, self._config.seq_len
        beside = (length - stride) // 2  # from a tile's start to where it is drawn
        last = (genome.chrom_sizes[region.chrom] - length) // stride
        first = max((region.start - beside) // stride, 0)
        n = min((region.end - 1 - beside) // stride, last) - first + 1
        if n > 0:
            tiles = TileRange(region.chrom, first * stride, n)
            codes = read_codes(genome, tiles, self._grid)
            logits = self._scorer.score(codes, tiles)[:, 0]
            if not np.isnan(logits).all():
                best = int(np.nanargmax(logits))
                start = (first + best) * stride
                return Region(region.chrom, start, start + length)
        raise RegionError(
            f"no tile of {length} bp with a value is drawn in {region}; give a region "
            "of known sequence, away from the ends of the chromosome"
        )

    def explain(self, genome: Sequences, tile: Region) -> Explanation:
        """Take the logit of a tile apart.

        Parameters
        ----------
        genome : Sequences
        tile : Region
            Of `seq_len` letters.

        Returns
        -------
        Explanation
        """
        import torch

        flank = self._grid.flank
        span = read_past_ends(genome, tile.chrom, tile.start - flank, tile.end + flank)
        stride, length = self._config.stride, self._config.seq_len
        starts = range(0, len(span) - length + 1, stride)
        tiles = np.stack([span[start : start + length] for start in starts])
        logits = self._network.forward_single(torch.from_numpy(tiles), *self._pair)[
            :, 0
        ]
        shares, base = self._shares(logits.numpy(), tiles)
        logit = base + float(shares @ logits.numpy())
        parts: dict[tuple[int, int, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for i in np.flatnonzero(shares).tolist():
            own_base, instances = self._of_tile(tiles[i])
            base += float(shares[i]) * own_base
            for k, place, strand, value, part in instances:
                start = tile.start - flank + starts[i] + place
                found = parts[k, start, strand]
                found[0] = value
                found[1] += float(shares[i]) * part
        listed = [Instance(*key, *found) for key, found in parts.items()]
        listed.sort(key=lambda instance: (-instance.part, instance.start))
        return Explanation(tile, logit, base, listed)

    def _shares(
        self, logits: NDArray[np.float32], tiles: Codes
    ) -> tuple[Doubles, float]:
        """Give the weight of each neighbor's logit, and what is added to it all."""
        shares = np.zeros(len(logits))
        around = self._network.context
        own = len(logits) // 2
        if around is None:
            shares[own] = 1
            return shares, 0.0
        unknown = 2 * (tiles >= N_CODE).sum(axis=1) > tiles.shape[1]
        seen = np.where(unknown, logits[own], logits)
        for k, weight in enumerate(around.weight.tolist()):
            best = own - k + int(seen[own - k : own + k + 1].argmax())
            shares[own if unknown[best] else best] += weight
        return shares, float(around.bias)

    def _of_tile(
        self, codes: Codes
    ) -> tuple[float, Iterator[tuple[int, int, str, float, float]]]:
        """Take the logit of a tile alone apart: its base, and its instances."""
        import torch

        strands = [codes, reverse_complement(codes)]
        m, places = _windows(self._network, np.stack(strands))
        if self._config.gates_motifs:
            base, parts = self._sum(m)
        else:
            base, parts = self._integral(m)
        letters = len(codes) - self._config.filter_length
        fired = torch.nonzero((m > 0) & (parts != 0)).tolist()
        return base, (
            (
                k,
                letters - int(places[s, w, k]) if s else int(places[s, w, k]),
                "+-"[s],
                float(m[s, w, k]),
                float(parts[s, w, k]),
            )
            for s, w, k in fired
        )

    def _sum(self, m: Tensor) -> tuple[float, Tensor]:
        """Take the winning unit of the better strand apart, term by term."""
        import torch

        from tfimpute_tracks.models.network import TFImpute

        network = self._network
        assert isinstance(network, TFImpute)
        gates = network.gates(*self._pair)[0]
        terms = network.unit_weight * gates * m[:, :, None]  # (2, n_windows, H, K)
        z = network.unit_bias + terms.sum(dim=(1, 3))
        strand, unit = divmod(int(z.argmax()), z.shape[1])
        parts = torch.zeros_like(m)
        parts[strand] = terms[strand, :, unit]
        return float(network.unit_bias[unit]), parts

    def _integral(self, m: Tensor) -> tuple[float, Tensor]:
        """Give integrated gradients along the straight line from no motif."""
        import torch

        network = self._network
        # Dense where motifs are weak: norms of small numbers change fastest.
        even = (torch.arange(_STEPS) + 0.5) / _STEPS
        along, weights = even**_DENSE, _DENSE * even ** (_DENSE - 1) / _STEPS
        on_way = (along[:, None, None, None] * m).requires_grad_()
        features = network.body(on_way[:, 0], on_way[:, 1])
        logits = network.head(features, *self._pair)
        (slopes,) = torch.autograd.grad(logits.sum(), on_way)
        nothing = torch.zeros_like(m[:1])
        base = network.head(network.body(nothing, nothing), *self._pair)
        return float(base), m * torch.einsum("s,sdwk->dwk", weights, slopes)


def _windows(network: MotifNetwork, codes: Codes) -> tuple[Tensor, Tensor]:
    """Give motif features as the network has them, and where each has its maximum.

    Returns
    -------
    features : float tensor, shape (n, n_windows, K)
    places : int64 tensor, shape (n, n_windows, K)
        First letter under the filter.
    """
    import torch
    from torch.nn import functional

    x = one_hot_tensor(torch.from_numpy(codes)).transpose(1, 2)
    y = functional.conv1d(x, network.filters.transpose(1, 2))
    pool = network.config.pool
    most, places = functional.max_pool1d(y, pool, ceil_mode=True, return_indices=True)
    m = torch.relu(most.transpose(1, 2) - network.bias)
    return m, places.transpose(1, 2)
