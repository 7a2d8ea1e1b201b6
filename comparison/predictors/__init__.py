"""Predictors of binding that are set beside each other: ours and its rivals.

Each is given the same ``task`` (sites and pairs to learn and to score; ``units`` says
what is learned one by one), and has the members of ``predictor``. ``ours`` and
``same_sequences`` are of our network, ``activity`` reads measured labels, ``motif``
(with ``jaspar``), ``gkm_svm`` (with ``gapped_words`` and ``gapped_kernel``),
``deepbind`` and ``deepsea`` (with ``fitting``) learn from sequences, ``external`` (with
``external_files``) takes scores from files. ``registry`` finds them by name. Who runs
and judges them is not known here.
"""

from __future__ import annotations

__all__: list[str] = []
