"""The loss: binary cross-entropy over every labelled (sequence, pair) instance.

About one site in a hundred is positive, and the number of positives differs a
hundredfold between pairs. Both classes therefore have the same weight within a pair,
and the weight of a pair is the square root of its positives. This ranks sites of
held-out pairs better than the unweighted mean.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tfimpute_tracks.errors import UsageError

__all__ = ["instance_weights", "pair_weights", "soft_loss", "weighted_loss"]


def instance_weights(
    n_positive: NDArray[np.int64] | NDArray[np.float64],
    n_negative: NDArray[np.int64] | NDArray[np.float64],
    balance: bool,
    pair_exponent: float,
) -> tuple[Tensor, Tensor]:
    """Return the weight of a positive and of a negative instance of each pair.

    Parameters
    ----------
    n_positive, n_negative : int64 or float64 array, shape (n_pairs,)
        Labelled training sites, or how many are expected.
    balance : bool
        Weight both classes of a pair equally; if not, every instance has weight 1.
    pair_exponent : float
        The weight of a pair is n_positive to this power, or 0 where it has one class.

    Returns
    -------
    positive, negative : float32 tensor, shape (n_pairs,)
        Scaled to a mean weight of 1.

    Raises
    ------
    UsageError
        No pair has both positives and negatives.
    """
    usable = (n_positive > 0) & (n_negative > 0)
    if not usable.any():
        raise UsageError(
            f"none of {len(n_positive)} pairs has both bound and unbound training "
            "sites; check that peaks and background are of one assembly, and that the "
            "held-out chromosomes leave bound sites"
        )
    if not balance:
        ones = torch.ones(len(n_positive))
        return ones, ones.clone()
    pair = np.where(usable, n_positive.astype(float) ** pair_exponent, 0.0)
    n_sites = (n_positive + n_negative).max()
    pair *= n_sites / 2 / pair[usable].mean()
    positive = pair / np.maximum(n_positive, 1)
    negative = pair / np.maximum(n_negative, 1)
    return (
        torch.from_numpy(positive.astype(np.float32)),
        torch.from_numpy(negative.astype(np.float32)),
    )


def pair_weights(
    n_bound: NDArray[np.int64], n_sites: NDArray[np.int64], exponent: float
) -> NDArray[np.float32]:
    """Return the weight of each pair where classes keep their frequencies.

    The loss of a pair with few bound sites is small, and a network of limited size would
    learn the others. As all sites of a pair have the same weight, it remains calibrated.

    Parameters
    ----------
    n_bound, n_sites : int64 array, shape (n_pairs,)
        Bound sites, and all that are labeled.
    exponent : float
        The weights of all bound sites of a pair add up to the fraction that is bound, to
        this power, times a constant. With 1 every site has weight 1.

    Returns
    -------
    float32 array, shape (n_pairs,)
        Scaled to a mean weight of bound sites of 1.
    """
    fraction = (n_bound + 1) / (n_sites + 1)
    weight = fraction ** (exponent - 1)
    scaled = weight * fraction.sum() / (weight * fraction).sum()
    return np.asarray(scaled, dtype=np.float32)


def weighted_loss(
    logits: Tensor, labels: Tensor, positive: Tensor, negative: Tensor
) -> Tensor:
    """Compute the mean weighted cross-entropy of a batch.

    Parameters
    ----------
    logits : float tensor, shape (n, n_pairs)
    labels : int8 tensor, shape (n, n_pairs)
        1 positive, 0 negative, -1 ignored.
    positive, negative : float32 tensor, shape (n_pairs,)
        From :func:`instance_weights`.

    Returns
    -------
    float32 tensor, scalar
    """
    bound = labels == 1
    weights = torch.where(bound, positive, negative) * (labels >= 0)
    losses = functional.softplus(torch.where(bound, -logits, logits))
    return (weights * losses).mean()


def soft_loss(
    logits: Tensor, targets: Tensor, positive: Tensor, negative: Tensor
) -> Tensor:
    """Compute the mean weighted cross-entropy of a batch against probabilities.

    Parameters
    ----------
    logits : float tensor, shape (n, n_pairs)
    targets : float32 tensor, shape (n, n_pairs)
        Probabilities of being bound.
    positive, negative : float32 tensor, shape (n_pairs,)
        From :func:`instance_weights`.

    Returns
    -------
    float32 tensor, scalar
        With targets of 0 and 1 that of :func:`weighted_loss`.
    """
    bound = positive * targets * functional.softplus(-logits)
    unbound = negative * (1 - targets) * functional.softplus(logits)
    return (bound + unbound).mean()
