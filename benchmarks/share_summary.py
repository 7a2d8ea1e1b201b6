"""Leave the summary of tracks out of evidence weights whose neighbor has the same one.

It is most of such a file. The models of the package of one kind share one, so the package
is two megabytes smaller. Scores do not change.

    python benchmarks/share_summary.py models/weights deep=default deep-held-out=held-out
"""

from __future__ import annotations

import sys
from pathlib import Path

from tfimpute_tracks.commands.console import print_result
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    read_evidence_weights,
    write_evidence_weights,
)


def main() -> None:
    """Run the script."""
    folder = Path(sys.argv[1])
    for argument in sys.argv[2:]:
        name, _, other = argument.partition("=")
        path, source = (
            evidence_path(folder / f"{n}.safetensors") for n in (name, other)
        )
        before = path.stat().st_size
        weights = read_evidence_weights(path)
        write_evidence_weights(path, weights, source.name)
        again = read_evidence_weights(path)
        for key, array in weights.weights.items():
            assert (array == again.weights[key]).all(), key
        print_result(f"{path}: {before:,} to {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
