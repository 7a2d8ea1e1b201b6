"""Slow, obvious twins of the kernels: loops over letters, as the definitions read."""

from __future__ import annotations

import numpy as np


def convolution(codes, filters):
    """Y[r, k] = sum_i sum_n X[r + i, n] W[k, i, n]."""
    n_filters, length, _ = filters.shape
    y = np.zeros((len(codes) - length + 1, n_filters))
    for r in range(len(y)):
        for k in range(n_filters):
            for i in range(length):
                if codes[r + i] < 4:
                    y[r, k] += filters[k, i, codes[r + i]]
    return y


def span_maxima(codes, filters, starts, ends):
    y = convolution(codes, filters)
    return np.array(
        [
            [max(y[start:end, k], default=-np.inf) for k in range(y.shape[1])]
            for start, end in zip(starts, ends, strict=True)
        ]
    )


def windows(codes, filters, pool):
    """Maximum of each pooling window of one sequence, (n_windows, K)."""
    y = convolution(codes, filters)
    return np.array([y[p : p + pool].max(axis=0) for p in range(0, len(y), pool)])


def filter_gradient(codes, places, grads, length):
    out = np.zeros((grads.shape[1], length, 4))
    for span in range(len(grads)):
        for k in range(grads.shape[1]):
            for i in range(length):
                code = codes[places[span, k] + i]
                if code < 4:
                    out[k, i, code] += grads[span, k]
    return out


def mix_windows(maxima, weights):
    n_windows, n_units, n_filters = weights.shape
    u = np.zeros((len(maxima), n_units, n_filters))
    for i in range(len(maxima)):
        for h in range(n_units):
            for w in range(n_windows):
                u[i, h] += weights[w, h] * maxima[i, w]
    return u
