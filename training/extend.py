"""Add TFs and cell lines to a trained model, from a few tracks or accessibility alone.

All weights stay as they are, and so do the scores of all known pairs. What is found of a
new name is its vector of embeddings (``extend_fit.py``). A cell line with accessibility
starts from the vectors of cell lines with similar accessibility; a name with tracks is
fitted to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tfimpute_tracks.dataset.own_sites import OwnSites
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.evidence import EvidenceStore
from tfimpute_tracks.evidence.similarity import similar_cells
from tfimpute_tracks.models.evidence_network import EvidenceNetwork
from tfimpute_tracks.models.evidence_weights import EvidenceWeights
from tfimpute_tracks.models.extension import (
    Kind,
    ModelWeights,
    NewNames,
    embedding_parts,
    name_vectors,
)
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.evidence_sites import read_evidence_sites
from tfimpute_tracks.training.extend_fit import (
    ExtendRecipe,
    NamePrior,
    fit_sequence,
    fit_tracks,
    name_prior,
)

__all__ = ["Extension", "cell_shares", "extend_weights"]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_SHARPNESS = 40.0  # per unit of correlation of accessibility
# The vector of a cell line that starts near similar ones moves less.
_NEAR_PENALTY = 100.0
_KINDS: tuple[Kind, Kind] = ("tf", "cell")


@dataclass(frozen=True)
class Extension:
    """What a model is extended with.

    Attributes
    ----------
    tfs, cells : tuple of str
        New names.
    sites : OwnSites
        With a column per new pair that was measured.
    store : EvidenceStore or None
        All tracks: those of known names and the new ones.
    """

    tfs: tuple[str, ...]
    cells: tuple[str, ...]
    sites: OwnSites
    store: EvidenceStore | None


def extend_weights(
    model: Model,
    weights: ModelWeights,
    extension: Extension,
    recipe: ExtendRecipe,
    advance: Callable[[int, str], None],
) -> tuple[ModelWeights, dict[str, dict[str, float]]]:
    """Find the vectors of new names.

    Parameters
    ----------
    model : Model
        By sequence only, with its card.
    weights : ModelWeights
        Of the model.
    extension : Extension
    recipe : ExtendRecipe
    advance : callable
        Called with 1 and a note after each of ``2 * recipe.steps``, if any was measured.

    Returns
    -------
    weights : ModelWeights
        Thresholds of new pairs are not set.
    similar : dict of str to dict of str to float
        Of each new cell line, the similarity of others, the most similar first.

    Raises
    ------
    RunError
        A loss is not finite.
    """
    priors, similar = _priors(model, weights, extension)
    names = NewNames(
        extension.tfs, extension.cells, priors["tf"].mean, priors["cell"].mean
    )
    if not extension.sites.dataset.pairs:
        return weights.extend(names), similar
    parts = embedding_parts(weights)
    places = [where for owner, _, where in parts["tf"] if owner == "sequence"]
    cut = places[-1].stop
    found = _fit_sequence(
        weights.extend(names), extension, priors, cut, recipe, advance
    )
    names = _with(names, found, slice(0, cut))
    extended = weights.extend(names)
    if extended.evidence is None or extension.store is None:
        return extended, similar
    found = _fit_tracks(
        model, extended, extension, (priors, parts), cut, recipe, advance
    )
    return weights.extend(_with(names, found, slice(cut, None))), similar


def _with(names: NewNames, found: tuple[Doubles, Doubles], part: slice) -> NewNames:
    vectors = names.tf_vectors.copy(), names.cell_vectors.copy()
    for all_, new in zip(vectors, found, strict=True):
        all_[:, part] = new
    return NewNames(names.tfs, names.cells, *vectors)


def _priors(
    model: Model, weights: ModelWeights, extension: Extension
) -> tuple[dict[Kind, NamePrior], dict[str, dict[str, float]]]:
    """Describe where vectors lie; those of cell lines near similar ones."""
    known = weights.vocabulary
    counts = {"tf": dict.fromkeys(known.tfs, 0), "cell": dict.fromkeys(known.cells, 0)}
    for pair, entry in model.measured_pairs.items():
        if entry["trained"]:
            counts["tf"][pair.tf] += 1
            counts["cell"][pair.cell] += 1
    found: dict[Kind, NamePrior] = {}
    similar: dict[str, dict[str, float]] = {}
    for kind, new in zip(_KINDS, (extension.tfs, extension.cells), strict=True):
        vectors = name_vectors(weights, kind)
        weight = np.log1p(np.array(list(counts[kind].values()), dtype=np.float64))
        if not weight.any():  # a model without a card
            weight[:] = 1
        found[kind] = name_prior(vectors, weight, len(new))
        n_tracks = [
            sum(name in p for p in extension.sites.dataset.pairs) for name in new
        ]
        found[kind].penalty[:] /= np.maximum(n_tracks, 1)
        if kind == "tf" or extension.store is None:
            continue
        for row, cell in enumerate(new):
            near = similar_cells(extension.store, cell)
            near = {name: value for name, value in near.items() if name in known.cells}
            if near:
                similar[cell] = near
                share = cell_shares(near, known.cells)
                found[kind].mean[row] = share @ vectors
                found[kind].penalty[row] *= _NEAR_PENALTY
    return found, similar


def cell_shares(similar: Mapping[str, float], cells: Sequence[str]) -> Doubles:
    """Weight cell lines by their similarity to a new one.

    Parameters
    ----------
    similar : mapping of str to float
        From :func:`tfimpute_tracks.evidence.similarity.similar_cells`.
    cells : sequence of str

    Returns
    -------
    float64 array, shape (n_cells,)
        Their sum is 1.
    """
    value = np.array([similar.get(cell, -np.inf) for cell in cells])
    weight = np.exp(_SHARPNESS * (value - value.max()))
    share: Doubles = weight / weight.sum()
    return share


def _columns(prior: NamePrior, part: slice) -> NamePrior:
    return NamePrior(prior.mean[:, part], prior.basis[:, part], prior.penalty)


def _fit_sequence(
    weights: ModelWeights,
    extension: Extension,
    priors: Mapping[Kind, NamePrior],
    cut: int,
    recipe: ExtendRecipe,
    advance: Callable[[int, str], None],
) -> tuple[Doubles, Doubles]:
    from tfimpute_tracks.engines.numba_backend import NUMBA

    sites, vocabulary = extension.sites, weights.vocabulary
    network = Model("", weights.sequence).network()
    network.backend = NUMBA
    read = network.config.input_slice(sites.dataset.seq_len, single=True)
    pairs = np.array(vocabulary.pair_indices(sites.dataset.pairs)).reshape(-1, 2)
    return fit_sequence(
        network,
        sites.dataset.codes[sites.train, read],
        sites.dataset.labels(sites.train),
        (pairs[:, 0].copy(), pairs[:, 1].copy()),
        [_columns(priors[kind], slice(0, cut)) for kind in _KINDS],
        recipe,
        advance,
    )


def _fit_tracks(
    model: Model,
    weights: ModelWeights,
    extension: Extension,
    space: tuple[Mapping[Kind, NamePrior], Mapping[Kind, list[tuple[str, str, slice]]]],
    cut: int,
    recipe: ExtendRecipe,
    advance: Callable[[int, str], None],
) -> tuple[Doubles, Doubles]:
    assert weights.evidence is not None
    assert extension.store is not None
    sites, priors, parts = extension.sites, *space
    chosen = _in_coverage(sites, extension.store, weights.evidence.config.window)
    found = read_evidence_sites(
        Model(model.name, weights.sequence),
        extension.store,
        sites.dataset,
        chosen,
        np.arange(len(sites.dataset.pairs)),
        weights.evidence.config,
    )
    places = [
        [
            (name, slice(where.start - cut, where.stop - cut))
            for owner, name, where in parts[kind]
            if owner == "evidence"
        ]
        for kind in _KINDS
    ]
    return fit_tracks(
        _evidence_network(weights.evidence),
        found,
        sites.weight[chosen],
        places,
        [_columns(priors[kind], slice(cut, None)) for kind in _KINDS],
        recipe,
        advance,
    )


def _in_coverage(sites: OwnSites, store: EvidenceStore, width: int) -> Ints:
    """Find the rows to fit with that tracks have data for, in genome order."""
    dataset, kept = sites.dataset, []
    for chrom, index, centers in chrom_sites(dataset, sites.train):
        if store.has_peaks(chrom).any():
            inside = store.in_coverage(chrom, centers - width // 2, width)
            kept.append(sites.train[index[inside]])
    return np.concatenate([*kept, np.empty(0, np.int64)])


def _evidence_network(weights: EvidenceWeights) -> EvidenceNetwork:
    """Build the reference network with given weights."""
    known = weights.vocabulary
    network = EvidenceNetwork(weights.config, len(known.tfs), len(known.cells))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(weights.weights[name]))
    return network
