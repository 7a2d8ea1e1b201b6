"""The network's two heavy steps in numba kernels, for training on a CPU.

A pooling window sends a gradient back only to the position of its maximum, so the
backward pass of the convolution scatters K values per window; it is no convolution.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tfimpute_tracks.kernels.gradient import filter_gradient
from tfimpute_tracks.kernels.lookup import span_maxima
from tfimpute_tracks.kernels.mixture import mix_windows, mix_windows_gradient
from tfimpute_tracks.kernels.segments import pooling_windows
from tfimpute_tracks.kernels.tables import build_tables, word_rows
from tfimpute_tracks.models.network import Backend

__all__ = ["NUMBA"]


class _PooledConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, codes: Tensor, filters: Tensor, pool: int) -> Tensor:
        n, seq_len = codes.shape
        n_filters, filter_length, _ = filters.shape
        tables = build_tables(filters.detach().numpy())
        flat = codes.reshape(-1).numpy()
        rows = word_rows(flat, tables.n_words)
        windows = pooling_windows(seq_len, filter_length, pool)
        firsts = np.arange(n, dtype=np.int64)[:, None] * seq_len
        maxima, places = span_maxima(
            rows,
            tables,
            (firsts + windows[:, 0]).reshape(-1),
            (firsts + windows[:, 1]).reshape(-1),
        )
        ctx.codes, ctx.places, ctx.filter_length = flat, places, filter_length
        return torch.from_numpy(maxima).reshape(n, len(windows), n_filters)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, None]:
        by_maxima = grads[0].reshape(ctx.places.shape).contiguous().numpy()
        by_filters = filter_gradient(
            ctx.codes, ctx.places, by_maxima, ctx.filter_length
        )
        return None, torch.from_numpy(by_filters), None


class _MixedWindows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, m: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(m, weights)
        # Where products run in bfloat16, the layers before this one pass it on.
        values = m.detach().float().contiguous()
        u = mix_windows(values.numpy(), weights.detach().numpy())
        return torch.from_numpy(u)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        m, weights = ctx.saved_tensors
        by_m, by_weights = mix_windows_gradient(
            m.float().contiguous().numpy(),
            weights.numpy(),
            grads[0].float().contiguous().numpy(),
        )
        return torch.from_numpy(by_m).to(m.dtype), torch.from_numpy(by_weights)


def _pooled_convolution(codes: Tensor, filters: Tensor, pool: int) -> Tensor:
    result: Tensor = _PooledConvolution.apply(codes, filters, pool)  # type: ignore[no-untyped-call]
    return result


def _mixed_windows(m: Tensor, weights: Tensor) -> Tensor:
    result: Tensor = _MixedWindows.apply(m, weights)  # type: ignore[no-untyped-call]
    return result


NUMBA = Backend(_pooled_convolution, _mixed_windows)
"""The heavy steps in numba kernels: float32 tensors on the CPU only."""
