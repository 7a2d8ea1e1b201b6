"""The loss: binary cross-entropy over every labelled (sequence, pair) instance.

Positives are one in a hundred, and pairs differ a hundredfold in how many they have.
So both classes weigh the same within a pair, and a pair weighs the square root of its
positives; that ranks sites better on held-out pairs than the plain mean.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["instance_weights", "weighted_loss"]


def instance_weights(
    n_positive: NDArray[np.int64],
    n_negative: NDArray[np.int64],
    balance: bool,
    pair_exponent: float,
) -> tuple[Tensor, Tensor]:
    """Give the weight of a positive and of a negative instance of each pair.

    Parameters
    ----------
    n_positive, n_negative : int64 array, shape (n_pairs,)
        Labelled training sites.
    balance : bool
        Whether both classes of a pair weigh the same; if not, every instance weighs 1.
    pair_exponent : float
        A pair weighs n_positive to this power; pairs with one class only weigh nothing.

    Returns
    -------
    positive, negative : float32 tensor, shape (n_pairs,)
        Scaled so that an instance weighs 1 on average.
    """
    if not balance:
        ones = torch.ones(len(n_positive))
        return ones, ones.clone()
    usable = (n_positive > 0) & (n_negative > 0)
    pair = np.where(usable, n_positive.astype(float) ** pair_exponent, 0.0)
    n_sites = (n_positive + n_negative).max()
    pair *= n_sites / 2 / pair[usable].mean()
    positive = pair / np.maximum(n_positive, 1)
    negative = pair / np.maximum(n_negative, 1)
    return (
        torch.from_numpy(positive.astype(np.float32)),
        torch.from_numpy(negative.astype(np.float32)),
    )


def weighted_loss(
    logits: Tensor, labels: Tensor, positive: Tensor, negative: Tensor
) -> Tensor:
    """Give the mean weighted cross-entropy of a batch.

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
