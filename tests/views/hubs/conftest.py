"""Folders of tracks: a real one that `scan` wrote, and made-up ones."""

import pytest

from tfimpute_tracks.genome import bundled_region, open_bundled
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks import ScanJob, run_scan
from tfimpute_tracks.tracks.record import TrackOptions
from tfimpute_tracks.tracks.track_folder import TrackFolder
from tfimpute_tracks.vocabulary import Pair
from toys import make_record

PAIRS = [Pair("CTCF", "K562"), Pair("CEBPB", "HepG2"), Pair("CTCF", "NB4")]
REGION = bundled_region()._replace(start=48_700_000, end=49_200_000)


@pytest.fixture(scope="session")
def tracks_folder(tmp_path_factory):
    """Three pairs over 500 kb of the bundled region, one with its specificity."""
    folder = tmp_path_factory.mktemp("tracks") / "tracks"
    model, genome = load_model("default"), open_bundled()
    for pairs, options in (
        (PAIRS, TrackOptions()),
        (PAIRS[:1], TrackOptions("specificity")),
    ):
        job = ScanJob(model, pairs, [REGION], folder, 100, options=options)
        assert len(list(run_scan(job, genome, lambda n: None))) == len(pairs)
    letters = decode(genome.codes("chr20"))
    (folder / "chr20.fa").write_text(f">chr20\n{letters}\n")
    n = len(letters)
    (folder / "chr20.fa.fai").write_text(f"chr20\t{n}\t7\t{n}\t{n + 1}\n")
    return folder


@pytest.fixture
def folder_of(tmp_path):
    """Make a folder of pairs whose files do not exist."""

    def make(pairs, **known):
        tracks = [
            make_record(
                Pair(tf, cell),
                threshold=0.9,
                n_peaks=3,
                expected_auroc=0.81,
                signals={"probability": f"{tf}.{cell}.bw"},
                bigbed=f"{tf}.{cell}.bb",
                **known,
            )
            for tf, cell in sorted(pairs)
        ]
        return TrackFolder(tmp_path, tracks, [])

    return make
