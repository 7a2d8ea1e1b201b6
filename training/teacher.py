"""Labels from a teacher: what a model with evidence thinks of training sites.

Most pairs have no label, and a label says only bound or not. A model that also reads
measured tracks knows all pairs everywhere, and better than sequence can tell. So a
network that reads sequence learns from its probabilities, too (Hinton, Vinyals and Dean
2015, arXiv:1503.02531). A pair's own tracks are hidden from the teacher.

There are too many pairs to keep the probabilities of all. The sites are divided into
random groups, and each group has the trained pairs and some others of its own. A batch
is of one group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.errors import UsageError, listed
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage.atomic import atomic_file
from tfimpute_tracks.storage.digest import digest_arrays, digest_json
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["TeacherLabels", "check_teacher", "teacher_digest", "teacher_labels"]

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
    path : Path
        Of the file of probabilities.
    batch_size : int
        Sites.
    digest : str
        Of all that the probabilities depend on.
    """

    rows: Ints
    pairs: Ints
    probabilities: NDArray[np.float16]
    path: Path
    batch_size: int
    digest: str

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

    def remove(self) -> None:
        """Remove the file; a run that is done needs it no more."""
        self.path.unlink(missing_ok=True)

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


def check_teacher(teacher: Model, dataset: Dataset) -> None:
    """Refuse a teacher without evidence, or one that lacks names of the data set.

    Parameters
    ----------
    teacher : Model
    dataset : Dataset

    Raises
    ------
    UsageError
    """
    if teacher.evidence is None:
        raise UsageError(
            f"teacher {teacher.name} reads no evidence here, so it knows no more than "
            "sequence; use --evidence with tracks of the data set's genome"
        )
    known, asked = teacher.vocabulary, dataset.vocabulary
    missing = sorted({*asked.tfs} - {*known.tfs}) + sorted(
        {*asked.cells} - {*known.cells}
    )
    if missing:
        raise UsageError(
            f"teacher {teacher.name} does not know {listed(missing)}; train without "
            "--teacher, or `extend` the teacher first"
        )


def teacher_digest(teacher: Model) -> str:
    """Identify a model, its evidence weights and its tracks.

    Parameters
    ----------
    teacher : Model
        With evidence.

    Returns
    -------
    str
    """
    evidence = teacher.evidence
    assert evidence is not None  # checked by check_teacher
    parts = [teacher.checkpoint.digest, evidence.weights.digest, evidence.store.digest]
    return digest_json(parts)


def teacher_labels(
    folder: Path,
    teacher: Model,
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    recipe: Recipe,
    device: str,
    advance: Callable[[int], None],
) -> TeacherLabels:
    """Compute a teacher's probabilities of training sites, or open those of a killed run.

    Parameters
    ----------
    folder : Path
        For a file of 2 bytes per site and pair.
    teacher : Model
        With evidence that holds no track of a held-out pair.
    dataset : Dataset
    rows : int64 array
        Training sites.
    columns : int64 array
        Trained pairs.
    recipe : Recipe
    device : str
        A torch device.
    advance : callable
        Called with the number of sites done.

    Returns
    -------
    TeacherLabels

    Raises
    ------
    UsageError
        As :func:`check_teacher`.
    WriteError
        The disk is full.
    """
    check_teacher(teacher, dataset)
    vocabulary, size = dataset.vocabulary, _BATCHES * recipe.batch_size
    trained = vocabulary.pair_indices([dataset.pairs[i] for i in columns])
    rng = np.random.default_rng(recipe.seed)
    grouped = rng.permutation(rows)
    firsts = range(0, len(rows), size)
    for first in firsts:
        grouped[first : first + size].sort()
    others = _other_pairs(vocabulary, trained)
    n_more = min(recipe.teacher_pairs, len(others))
    drawn = [rng.choice(len(others), n_more, replace=False) for _ in firsts]
    pairs = others[np.array(drawn)]
    data = [dataset.parameters, dataset.sources, dataset.peak_digests]
    drawing = [recipe.seed, recipe.batch_size, recipe.teacher_pairs, trained]
    digest = digest_json([teacher_digest(teacher), data, drawing, digest_arrays(rows)])
    path = folder / f"teacher-{digest.removeprefix('sha256:')[:12]}.npy"
    shape = len(rows), len(trained) + n_more
    if not path.exists():
        with atomic_file(path, needed=2 * shape[0] * shape[1]) as temporary:
            out = np.lib.format.open_memmap(temporary, "w+", np.float16, shape)
            for group, first in enumerate(firsts):
                some = grouped[first : first + size]
                wanted = [*trained, *map(tuple, pairs[group])]
                out[first : first + size] = _score(
                    teacher, dataset, some, wanted, device
                )
                advance(len(some))
            out.flush()
    else:
        advance(len(rows))
    probabilities = np.load(path, mmap_mode="r")
    return TeacherLabels(grouped, pairs, probabilities, path, recipe.batch_size, digest)


def _score(
    teacher: Model,
    dataset: Dataset,
    rows: Ints,
    indices: Sequence[tuple[int, int]],
    device: str,
) -> Floats:
    """Return a teacher's probabilities of pairs of the data set."""
    pairs = [_named(dataset.vocabulary, index) for index in indices]
    known = teacher.vocabulary.pair_indices(pairs)
    log_odds = site_scorer(teacher, dataset, rows, device)(known)
    return np.asarray(1 / (1 + np.exp(-log_odds)), dtype=np.float32)


def _other_pairs(vocabulary: Vocabulary, trained: list[tuple[int, int]]) -> Ints:
    """Return the rows of all pairs but some, shape (n, 2)."""
    shape = len(vocabulary.tfs), len(vocabulary.cells)
    taken = np.ravel_multi_index(np.array(trained).T, shape)
    others = np.setdiff1d(np.arange(shape[0] * shape[1]), taken)
    return np.stack(np.unravel_index(others, shape), axis=1)


def _named(vocabulary: Vocabulary, index: tuple[int, int]) -> Pair:
    return Pair(vocabulary.tfs[index[0]], vocabulary.cells[index[1]])
