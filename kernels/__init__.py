"""Arrays in, arrays out: the inner loops, in numba where numpy would be slow.

Codes of letters (``encode``), the convolution by look-up tables (``tables``; ``lookup``
and ``gradient`` for training, ``motifs`` for scans), the geometry of segments, sparse
features and their products, peak calling, what peaks cover, what tracks add;
``fused`` is the scan's kernel for a GPU.
What must be fast is written over the vectors of ``lanes``. A kernel takes arrays and
scalars, raises nothing inside its loop and reads no file; the Python function beside it
checks and allocates.
"""

__all__: list[str] = []
