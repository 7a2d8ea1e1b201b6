"""Labels from a teacher: what a model with evidence predicts at training sites.

Most pairs have no label, and a label says only bound or not. A model that also reads
measured tracks predicts all pairs, and better than any that reads sequence alone. So a
network that reads sequence learns from its probabilities, too (Hinton, Vinyals and Dean
2015, arXiv:1503.02531). A pair's own tracks are hidden from the teacher.

There are too many pairs to keep the probabilities of all. The sites are divided into
random groups, and each group has the trained pairs and some others of its own. A batch
is of one group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.errors import UsageError, listed
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage.atomic import atomic_file
from tfimpute_tracks.storage.digest import digest_arrays, digest_json
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["Teacher", "TeacherLabels", "remove_labels"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_BATCHES = 16  # of a group
_MIN_BOUND = 20  # sites: of fewer, each would count too much


@dataclass(frozen=True)
class TeacherLabels:
    """Probabilities of training sites, on disk.

    Attributes
    ----------
    rows : int64 array, shape (n_sites,)
        Sites, group by group; ascending within a group.
    pairs : int64 array, shape (n_groups, n_more, 2)
        TF row and cell-line row of the pairs of each group that are not trained pairs.
    probabilities : float16 array, shape (n_sites, n_trained + n_more)
        Of the trained pairs, and those of the group; in the order of `rows`.
    batch_size : int
        Sites.
    """

    rows: Ints
    pairs: Ints
    probabilities: NDArray[np.float16]
    batch_size: int

    @property
    def group_size(self) -> int:
        """Sites of a group; the last one may have fewer."""
        return _BATCHES * self.batch_size

    def batches(self, seed: int, epoch: int) -> Iterator[Ints]:
        """Iterate once over the sites, each batch from one group.

        Parameters
        ----------
        seed, epoch : int
            They set the order.

        Yields
        ------
        int64 array, shape (batch_size,)
            Indices into `rows`, ascending; a last batch may be shorter.
        """
        rng = np.random.default_rng((seed, epoch))
        found: list[Ints] = []
        for first in range(0, len(self.rows), self.group_size):
            n = min(self.group_size, len(self.rows) - first)
            order = first + rng.permutation(n)
            cuts = range(self.batch_size, n, self.batch_size)
            found += [np.sort(part) for part in np.split(order, cuts)]
        for index in rng.permutation(len(found)):
            yield found[index]

    def expected_bound(self, group: int) -> NDArray[np.float64]:
        """Estimate how many of all sites each pair of a group binds, at least 20.

        Parameters
        ----------
        group : int

        Returns
        -------
        float64 array, shape (n_more,)
        """
        first, n_more = group * self.group_size, self.pairs.shape[1]
        some = self.probabilities[first : first + self.group_size]
        trained = some.shape[1] - n_more
        mean = some[:, trained:].mean(axis=0, dtype=np.float64)
        n_sites = len(self.rows)
        return np.asarray(np.clip(mean * n_sites, _MIN_BOUND, n_sites / 2))


@dataclass(frozen=True)
class Teacher:
    """A model that also reads measured tracks.

    Parameters
    ----------
    model : Model
        With evidence that has no track of a held-out pair.
    device : str
        A torch device.
    """

    model: Model
    device: str = "cpu"

    @property
    def digest(self) -> str:
        """Of the model, its evidence weights and its tracks."""
        evidence = self.model.evidence
        parts = [evidence.weights.digest, evidence.store.digest] if evidence else []
        return digest_json([self.model.checkpoint.digest, *parts])

    def to_dict(self) -> dict[str, str]:
        """Return what a card says of it.

        Returns
        -------
        dict
        """
        return {"model": self.model.name, "digest": self.digest}

    def check(self, pairs: Iterable[Pair]) -> None:
        """Refuse a model without evidence, or one that lacks names.

        Parameters
        ----------
        pairs : iterable of Pair
            Those to train on.

        Raises
        ------
        UsageError
        """
        name, known = self.model.name, self.model.vocabulary
        if self.model.evidence is None:
            raise UsageError(
                f"teacher {name} reads no evidence here, so it knows no more than "
                "sequence; use --evidence with tracks of the data set's genome"
            )
        missing = {pair.tf for pair in pairs} - {*known.tfs}
        missing |= {pair.cell for pair in pairs} - {*known.cells}
        if missing:
            raise UsageError(
                f"teacher {name} does not know {listed(sorted(missing))}; train without "
                "--teacher, or `extend` the teacher first"
            )

    def labels(
        self,
        folder: Path,
        dataset: Dataset,
        rows: Ints,
        columns: Ints,
        recipe: Recipe,
        advance: Callable[[int], None],
    ) -> TeacherLabels:
        """Compute probabilities of training sites, or open those of a killed run.

        Parameters
        ----------
        folder : Path
            For a file of 2 bytes per site and pair.
        dataset : Dataset
        rows : int64 array
            Training sites.
        columns : int64 array
            Trained pairs.
        recipe : Recipe
        advance : callable
            Called with the number of sites done.

        Returns
        -------
        TeacherLabels

        Raises
        ------
        UsageError
            As :meth:`check`.
        WriteError
            The disk is full.
        """
        own = [dataset.pairs[i] for i in columns]
        self.check(own)
        size = _BATCHES * recipe.batch_size
        trained = dataset.vocabulary.pair_indices(own)
        rng = np.random.default_rng(recipe.seed)
        grouped = rng.permutation(rows)
        firsts = range(0, len(rows), size)
        for first in firsts:
            grouped[first : first + size].sort()
        others = self._other_pairs(dataset.vocabulary, trained)
        n_more = min(recipe.teacher_pairs, len(others))
        drawn = [rng.choice(len(others), n_more, replace=False) for _ in firsts]
        pairs = others[np.array(drawn)]
        data = [dataset.parameters, dataset.sources, dataset.peak_digests]
        drawing = [recipe.seed, recipe.batch_size, recipe.teacher_pairs, trained]
        digest = digest_json([self.digest, data, drawing, digest_arrays(rows)])
        path = folder / f"teacher-{digest.removeprefix('sha256:')[:12]}.npy"
        if path.exists():
            advance(len(rows))
        else:
            remove_labels(folder)
            shape = len(rows), len(trained) + n_more
            with (
                atomic_file(path, needed=2 * shape[0] * shape[1]) as temporary,
                temporary.open("wb") as file,
            ):
                write_array_header_1_0(
                    file, {"descr": "<f2", "fortran_order": False, "shape": shape}
                )
                for group, first in enumerate(firsts):
                    some = grouped[first : first + size]
                    wanted = [*trained, *map(tuple, pairs[group])]
                    file.write(self._score(dataset, some, wanted).tobytes())
                    advance(len(some))
        probabilities = np.load(path, mmap_mode="r")
        return TeacherLabels(grouped, pairs, probabilities, recipe.batch_size)

    def _score(
        self, dataset: Dataset, rows: Ints, indices: Sequence[tuple[int, int]]
    ) -> NDArray[np.float16]:
        """Return the probabilities of pairs of the data set."""
        tfs, cells = dataset.vocabulary.tfs, dataset.vocabulary.cells
        pairs = [Pair(tfs[tf], cells[cell]) for tf, cell in indices]
        known = self.model.vocabulary.pair_indices(pairs)
        log_odds = site_scorer(self.model, dataset, rows, self.device)(known)
        return np.asarray(expit(log_odds), dtype="<f2")

    def _other_pairs(
        self, vocabulary: Vocabulary, trained: list[tuple[int, int]]
    ) -> Ints:
        """Return the rows of all pairs of known names but some, shape (n, 2)."""
        known = self.model.vocabulary
        is_known = np.outer(
            np.isin(vocabulary.tfs, known.tfs), np.isin(vocabulary.cells, known.cells)
        )
        is_known[tuple(np.array(trained).T)] = False
        return np.argwhere(is_known)


def remove_labels(folder: Path) -> None:
    """Remove the probabilities of finished and of killed runs.

    Parameters
    ----------
    folder : Path
        Of a run.
    """
    for pattern in ("teacher-????????????.npy", ".teacher-*.tmp"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
