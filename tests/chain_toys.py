"""Two assemblies and the chains between them, small enough to lift by hand."""

from __future__ import annotations

import gzip

OLD = {"chr1": 5000, "chr2": 3000, "chr3": 1000, "chrX": 400}
NEW = {"chr1": 5200, "chr2": 2900, "chrU": 800}

# Of chr1, 200 bp are new in the target after old 1000, and old 2000-2300 are lost; old
# 4000-5000 are reversed. Of chr2, the middle moves to chrU. The target genome lacks chrV.
FORWARD = """\
##a comment
chain 900 chr1 5000 + 0 4000 chr1 5200 + 100 4000 1
1000	0	200
1000	300	0
1700

chain 800 chr1 5000 + 4000 5000 chr1 5200 - 100 1100 2
1000

chain 700 chr2 3000 + 0 1000 chr2 2900 + 0 1000 3
1000

chain 600 chr2 3000 + 1000 1500 chrU 800 + 0 500 4
500

chain 500 chr2 3000 + 1500 3000 chr2 2900 + 1400 2900 5
1500

chain 400 chr3 1000 + 0 1000 chrV 1000 + 0 1000 6
1000

"""
BACK = """\
chain 900 chr1 5200 + 100 4000 chr1 5000 + 0 4000 1
1000 200 0
1000 0 300
1700

chain 800 chr1 5200 + 4100 5100 chr1 5000 - 0 1000 2
1000

chain 700 chr2 2900 + 0 1000 chr2 3000 + 0 1000 3
1000

chain 600 chrU 800 + 0 500 chr2 3000 + 1000 1500 4
500

chain 500 chr2 2900 + 1400 2900 chr2 3000 + 1500 3000 5
1500
"""


def write_chain(path, text=FORWARD):
    """Write a chain file, compressed if its name says so."""
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
