"""Arrays in, arrays out: the inner loops, in numba where numpy would be slow.

Codes of letters, the convolution by look-up tables, the geometry of segments, the
gradient of filters, peak calling. A kernel takes arrays and scalars, raises nothing
inside its loop and reads no file; the Python function beside it checks and allocates.
"""

__all__: list[str] = []
