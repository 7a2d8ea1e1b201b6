"""A bulk store in Python: slices by region and pair, loci, and AnnData."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.api.arrays import track_array
from tfimpute_tracks.api.evidence_choice import check_evidence
from tfimpute_tracks.api.inputs import Regions, known_genes, one_region, written_regions
from tfimpute_tracks.api.loci import rank_stored, ranked_frame, warn_outside
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.pair_choice import Pairs, read_pairs
from tfimpute_tracks.api.values import as_path, check_choice, check_text, check_top
from tfimpute_tracks.errors import check_packages, counted
from tfimpute_tracks.genome import Region, replace_genes, resolve_regions
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.impute.store import Store as BulkStore
from tfimpute_tracks.kernels.products import sigmoid

if TYPE_CHECKING:
    import anndata
    import pandas as pd
    import xarray as xr

    from tfimpute_tracks.evidence import EvidenceStore

__all__ = ["Store", "open_store"]


def open_store(path: str | Path) -> Store:
    """Open a folder that `tfimpute-tracks impute` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Store

    Raises
    ------
    InputFileError
        It is not a store.

    Examples
    --------
    >>> from tfimpute_tracks import open_store
    >>> open_store("store")
    Store('store', 165 pairs, 101 positions)
    """
    return Store(path)


class Store:
    """Scores of many pairs; :func:`tfimpute_tracks.open_store` opens them.

    ``store[region, pairs]`` is :meth:`array`.

    Parameters
    ----------
    path : str or Path

    Attributes
    ----------
    core : tfimpute_tracks.impute.store.Store

    Raises
    ------
    InputFileError
        It is not a store.

    Examples
    --------
    >>> from tfimpute_tracks import open_store
    >>> store = open_store("store")
    >>> store["chr20:48,595,001-48,600,000", ["CTCF:K562", "MAX:K562"]].sizes
    Frozen({'position': 51, 'pair': 2})
    >>> store.query("chr20:48,599,001-48,600,000", top=2)[["tf", "is_peak"]]
           tf  is_peak
    0  POLR2A     True
    1    E2F6     True
    >>> store.to_anndata("chr20:48,595,001-48,600,000").shape
    (165, 51)
    """

    def __init__(self, path: str | Path) -> None:
        self.core = BulkStore(as_path(path, "store"))

    @property
    def pairs(self) -> list[str]:
        """The pairs, as "TF:CELL"."""
        return [str(pair) for pair in self.core.plan.pairs]

    @property
    def regions(self) -> list[str]:
        """What was scored, 1-based with both ends included."""
        return list(self.core.plan.regions)

    def __repr__(self) -> str:
        plan = self.core.plan
        return (
            f"Store({str(self.core.folder)!r}, {counted(len(plan.tfs), 'pair')}, "
            f"{counted(plan.n_tiles, 'position')})"
        )

    def __getitem__(self, key: Any) -> xr.DataArray:
        region, pairs = key if _is_both(key) else (key, None)
        return self.array(region, pairs)

    def array(
        self,
        region: Regions | None = None,
        pairs: Pairs | None = None,
        signal: Literal["probability", "log-odds"] = "probability",
    ) -> xr.DataArray:
        """Read scores.

        Parameters
        ----------
        region : str, Path, (chrom, start, end), iterable of these, or None
            As for :meth:`tfimpute_tracks.Model.scan`; None: all there is.
        pairs : str, Path, iterable of "TF:CELL" or (tf, cell), or None
            None: all there are.
        signal : {"probability", "log-odds"}

        Returns
        -------
        DataArray, float32, dimensions (position, pair)
            Laid out as :attr:`tfimpute_tracks.Scan.array`. 0 stands for scores that a
            sparse store does not hold, minus infinity for their log-odds.

        Raises
        ------
        RegionError
            The store has no tile there.
        UnknownNameError
            A pair is not in the store.
        UsageError, InputFileError
            A value is invalid, or a shard is missing or damaged.
        """
        check_choice(signal, "signal", ("probability", "log-odds"))
        plan = self.core.plan
        chosen = (
            plan.pairs if pairs is None else read_pairs(self.core.vocabulary, pairs)
        )
        index = [self.core.index(pair) for pair in chosen]
        places = self._regions(region)
        tracks = self._tracks(index, places)
        if signal == "probability":
            tracks = [
                [part._replace(values=sigmoid(part.values)) for part in track]
                for track in tracks
            ]
        aurocs = [plan.expected_aurocs[i] for i in index]
        about: dict[str, list[Any]] = {
            "status": [plan.status[i] for i in index],
            "threshold": [plan.thresholds[i] for i in index],
            "expected_auroc": [np.nan if one is None else one for one in aurocs],
        }
        attrs = {
            "model": plan.model,
            "predicted_from": plan.basis,
            "genome": plan.genome,
            "assembly": plan.build,
            "stride": plan.stride,
            "regions": self.regions if places is None else [str(r) for r in places],
        }
        name = signal.replace("-", "_")
        return track_array(tracks, plan.chrom_sizes, chosen, about, name, attrs)

    def query(
        self,
        region: str | tuple[str, int, int],
        *,
        tf: str | None = None,
        cell: str | None = None,
        top: int = 0,
        genes: str | Path | None = None,
        evidence: str | Path | EvidenceStore = "auto",
    ) -> pd.DataFrame:
        """Rank the pairs of the store at a locus, next to what was measured there.

        Parameters
        ----------
        region, tf, cell, top, genes
            As for :meth:`tfimpute_tracks.Model.query`; the region may be of any length.
        evidence : str, Path or EvidenceStore
            What was measured. `auto`: the tracks of the package, where the genome is
            theirs. `none`: nothing.

        Returns
        -------
        DataFrame
            As :meth:`tfimpute_tracks.Model.query`.

        Raises
        ------
        UnknownNameError, RegionError, InputFileError
            A name, region or file is wrong.
        """
        check_top(top)
        check_text(tf, "tf")
        check_text(cell, "cell")
        check_evidence(evidence)
        known = known_genes(genes, self)
        where = one_region(region)
        ranked = rank_stored(self.core, where, (tf, cell), known, evidence)
        return ranked_frame(*ranked, top)

    def to_anndata(
        self, region: Regions | None = None, pairs: Pairs | None = None
    ) -> anndata.AnnData:
        """Read probabilities as AnnData, pairs by positions.

        Parameters
        ----------
        region, pairs
            As for :meth:`array`.

        Returns
        -------
        AnnData
            `obs` are pairs (tf, cell, status, threshold, expected_auroc), `var` are
            positions (chrom, start, end: 0-based, half-open), `uns` says which model and
            genome they are of.

        Raises
        ------
        UsageError
            anndata is not installed.
        RegionError, UnknownNameError, InputFileError
            As :meth:`array`.
        """
        check_packages("AnnData", "anndata")
        import anndata
        import pandas as pd

        array = self.array(region, pairs)
        names = ("tf", "cell", "status", "threshold", "expected_auroc")
        chrom, start, end = (array[n].to_numpy() for n in ("chrom", "position", "end"))
        spans = zip(chrom, start.tolist(), end.tolist(), strict=True)
        obs = pd.DataFrame(
            {name: _plain(array[name].to_numpy()) for name in names},
            index=_plain(array.pair.to_numpy()),
        )
        var = pd.DataFrame(
            {"chrom": _plain(chrom), "start": start, "end": end},
            index=_plain(np.array([str(Region(*span)) for span in spans], object)),
        )
        values = np.ascontiguousarray(array.to_numpy().T)
        return anndata.AnnData(values, obs=obs, var=var, uns=dict(array.attrs))

    def _regions(self, region: Regions | None) -> list[Region] | None:
        """Find regions on the chromosomes of the store."""
        written = written_regions(region)
        if written is None:
            return None
        sizes = self.core.plan.chrom_sizes
        places = replace_genes(written, sizes, None, log)
        regions = resolve_regions(places, [], sizes, log)
        warn_outside(self.core, regions)
        return regions

    def _tracks(
        self, index: list[int], regions: list[Region] | None
    ) -> list[list[Signal]]:
        """Read the log-odds of pairs."""
        by_pair: dict[int, list[Signal]] = {number: [] for number in index}
        for group in self.core.groups(index, regions):
            for rows in self.core.rows(group, regions):
                for row, number in enumerate(group):
                    values = rows.log_odds(row, self.core.plan.scale.of(number, 1))
                    pack = self.core.plan.signals_of(rows.ranges, values)
                    by_pair[number] += pack.signals()
        return [by_pair[number] for number in index]


def _is_both(key: Any) -> bool:
    """Discriminate (region, pairs) from a region (chrom, start, end)."""
    return isinstance(key, tuple) and len(key) == 2


def _plain(values: NDArray[Any]) -> Any:
    """Make texts a column that anndata writes; those of Arrow it refuses."""
    import pandas as pd

    if values.dtype.kind not in "OU":
        return values
    return pd.Index(values.astype(object), dtype=object)
