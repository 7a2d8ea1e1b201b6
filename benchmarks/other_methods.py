"""Other methods for a scan: the same weights run window by window, and single motifs.

Each says what it is; one whose package is not installed says so when it is made.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from timing import Unavailable
from torch import Tensor, nn

from tfimpute_tracks.models import Model
from tfimpute_tracks.models.network import TFImpute

__all__ = [
    "FastaFile",
    "PlainModule",
    "lightmotif_scan",
    "loader_predictor",
    "moods_scan",
    "selene_predictor",
    "tangermeme_tracks",
]

Floats = NDArray[np.float32]

# Selene pins an old PyTorch, so it is installed into a folder of its own, without its
# dependencies; docs/benchmarks.md has the command.
_SELENE = Path(sys.prefix) / "selene"
_P_VALUE = 1e-4
_PSEUDOCOUNT = 0.1


class FastaFile(NamedTuple):
    """Sequence in a FASTA file of its own: the file, the record's name, its bases."""

    fasta: Path
    chrom: str
    length: int


class PlainModule(nn.Module):
    """The network for one pair as a module on one-hot sequences, (n, 4, L) to (n, 1).

    What the pair fixes is folded into the last layer beforehand. Neighboring windows
    are mixed, and scores calibrated, by :meth:`probabilities`.

    Parameters
    ----------
    model : Model
    pair : str
        "TF:CELL".
    """

    def __init__(self, model: Model, pair: str) -> None:
        super().__init__()
        network = model.network()
        assert isinstance(network, TFImpute)  # others have no gates
        ((tf, cell),) = model.vocabulary.pair_indices([model.vocabulary.pair(pair)])
        with torch.no_grad():
            gate = network.gates(torch.tensor([tf]), torch.tensor([cell]))[0]
            own = (network.unit_weight * gate).permute(1, 2, 0).flatten(1)
            kernel = network.filters.transpose(1, 2).contiguous()
        self.kernel, self.bias = nn.Parameter(kernel), network.bias
        self.own, self.unit_bias = nn.Parameter(own), network.unit_bias
        self.pool = model.config.pool
        self.context = network.context
        self.calibration = model.calibration(model.vocabulary.pair(pair))

    def forward(self, x: Tensor) -> Tensor:
        """Give the log-odds of the better strand, of each window by itself.

        Parameters
        ----------
        x : float32 tensor, shape (n, 4, L)
            Rows A C G T.

        Returns
        -------
        float32 tensor, shape (n, 1)
        """
        both = torch.cat([x, x.flip(1, 2)])  # A C G T upside down is T G C A
        y = nn.functional.conv1d(both, self.kernel)
        m = nn.functional.max_pool1d(y, self.pool, ceil_mode=True)
        m = torch.relu(m - self.bias[:, None]).flatten(1)
        logits = nn.functional.linear(m, self.own, self.unit_bias).amax(1, keepdim=True)
        return torch.maximum(*logits.chunk(2))

    def probabilities(self, logits: Tensor) -> Floats:
        """Give the probabilities of windows that follow each other.

        Parameters
        ----------
        logits : float32 tensor, shape (n,)
            Of windows of known sequence, as far apart as neighbors are.

        Returns
        -------
        float32 array, shape (n,)
            Neighbors past the ends are unknown.
        """
        slope, offset = self.calibration
        with torch.inference_mode():
            if self.context is not None:
                r = self.context.n_tiles
                flanked = nn.functional.pad(logits, (r, r), value=torch.nan)
                near = flanked.unfold(0, 2 * r + 1, 1)
                logits = self.context(near[..., None], near.isnan())[:, 0]
            return torch.sigmoid(slope * logits + offset).numpy()


def tangermeme_tracks(
    module: PlainModule, sequence: FastaFile, seq_len: int, stride: int, batch: int
) -> Callable[[], Floats]:
    """FASTA to bigWig by `tangermeme.predict` over explicit windows.

    Parameters
    ----------
    module : PlainModule
    sequence : FastaFile
    seq_len, stride : int
    batch : int
        Windows per call of the network.

    Returns
    -------
    callable
        Gives the probabilities that it wrote, shape (n_tiles,).

    Raises
    ------
    Unavailable
        The package is not installed.
    """
    try:
        from tangermeme.predict import predict
        from tangermeme.utils import one_hot_encode
    except ImportError as error:
        raise Unavailable(f"tangermeme is not installed ({error})") from error
    import pyBigWig
    import pyfaidx

    def run() -> Floats:
        with pyfaidx.Fasta(str(sequence.fasta)) as genome:
            bases = str(genome[sequence.chrom][:]).upper()
        windows = one_hot_encode(bases).unfold(1, seq_len, stride).permute(1, 0, 2)
        logits = predict(module, windows, batch_size=batch, device="cpu")[:, 0]
        values = module.probabilities(logits)
        with tempfile.TemporaryDirectory() as folder:
            track = pyBigWig.open(f"{folder}/track.bw", "w")
            track.addHeader([(sequence.chrom, sequence.length)])
            track.addEntries(
                sequence.chrom,
                (seq_len - stride) // 2,
                values=values.tolist(),
                span=stride,
                step=stride,
            )
            track.close()
        return values

    return run


def selene_predictor(
    module: PlainModule, sequence: FastaFile, seq_len: int, stride: int, batch: int
) -> Callable[[], Floats]:
    """Selene's `AnalyzeSequences` over a BED file of the tiles, to an HDF5 file.

    Parameters
    ----------
    module, sequence, seq_len, stride, batch
        As for :func:`tangermeme_tracks`.

    Returns
    -------
    callable
        Gives the probabilities that it wrote, shape (n_tiles,).

    Raises
    ------
    Unavailable
        The package is not installed.
    """
    if _SELENE.is_dir() and str(_SELENE) not in sys.path:
        sys.path.append(str(_SELENE))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its age
            from selene_sdk.predict import AnalyzeSequences
            from selene_sdk.sequences import Genome
    except ImportError as error:
        raise Unavailable(f"selene-sdk is not installed ({error})") from error
    import h5py

    def run() -> Floats:
        with tempfile.TemporaryDirectory() as folder:
            weights, bed = Path(folder, "weights.pth"), Path(folder, "tiles.bed")
            torch.save(module.state_dict(), weights)
            starts = range(0, sequence.length - seq_len + 1, stride)
            lines = [f"{sequence.chrom}\t{s}\t{s + seq_len}\n" for s in starts]
            bed.write_text("".join(lines), encoding="utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                analysis = AnalyzeSequences(
                    module,
                    str(weights),
                    sequence_length=seq_len,
                    features=["log-odds"],
                    batch_size=batch,
                    reference_sequence=Genome(str(sequence.fasta)),
                )
                analysis.get_predictions_for_bed_file(str(bed), folder, "hdf5")
            with h5py.File(next(Path(folder).glob("*.h5"))) as file:
                logits = torch.from_numpy(file["data"][:, 0]).float()
            return module.probabilities(logits)

    return run


class _Windows(torch.utils.data.Dataset[Tensor]):
    """Windows of a FASTA file, read and encoded one by one."""

    def __init__(self, sequence: FastaFile, seq_len: int, stride: int) -> None:
        import pyfaidx

        self._record = pyfaidx.Fasta(str(sequence.fasta))[sequence.chrom]
        self._starts = range(0, sequence.length - seq_len + 1, stride)
        self._seq_len = seq_len
        self._rows = np.zeros((256, 4), dtype=np.float32)
        for place, base in enumerate("ACGT"):
            self._rows[ord(base), place] = self._rows[ord(base.lower()), place] = 1

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Tensor:
        start = self._starts[index]
        bases = str(self._record[start : start + self._seq_len]).encode()
        return torch.from_numpy(self._rows[np.frombuffer(bases, np.uint8)].T)


def loader_predictor(
    module: PlainModule, sequence: FastaFile, seq_len: int, stride: int, batch: int
) -> Callable[[], Floats]:
    """Predict as is usual: a PyTorch `DataLoader` over pyfaidx windows.

    Parameters
    ----------
    module, sequence, seq_len, stride, batch
        As for :func:`tangermeme_tracks`.

    Returns
    -------
    callable
        Gives the probabilities, shape (n_tiles,).
    """

    def run() -> Floats:
        windows = _Windows(sequence, seq_len, stride)
        loader = torch.utils.data.DataLoader(windows, batch_size=batch)
        with torch.inference_mode():
            return module.probabilities(torch.cat([module(x) for x in loader])[:, 0])

    return run


def lightmotif_scan(
    counts: dict[str, list[int]], bases: str, n_threads: int
) -> Callable[[], int]:
    """One motif, both strands, by lightmotif; a strand is a thread's work.

    Parameters
    ----------
    counts : dict of base to list of int
    bases : str
    n_threads : int

    Returns
    -------
    callable
        Gives the number of hits.

    Raises
    ------
    Unavailable
        The package is not installed.
    """
    try:
        from lightmotif.lib import CountMatrix, scan, stripe
    except ImportError as error:
        raise Unavailable(f"lightmotif is not installed ({error})") from error
    columns: dict[str, Iterable[int]] = dict(counts)
    forward = CountMatrix(columns).normalize(_PSEUDOCOUNT).log_odds()
    strands = [forward, forward.reverse_complement()]
    limits = [strand.score(_P_VALUE) for strand in strands]

    def run() -> int:
        striped = stripe(bases)

        def hits(strand: int) -> int:
            own = striped.copy() if strand else striped
            found = scan(strands[strand], own, threshold=limits[strand])
            return sum(1 for _ in found)

        with ThreadPoolExecutor(n_threads) as pool:
            return sum(pool.map(hits, range(2)))

    return run


def moods_scan(counts: dict[str, list[int]], bases: str) -> Callable[[], int]:
    """One motif, both strands, by MOODS, which has one thread.

    Parameters
    ----------
    counts : dict of base to list of int
    bases : str

    Returns
    -------
    callable
        Gives the number of hits.

    Raises
    ------
    Unavailable
        The package is not installed.
    """
    try:
        import MOODS.scan
        import MOODS.tools
    except ImportError as error:
        raise Unavailable(f"MOODS-python is not installed ({error})") from error
    background = MOODS.tools.flat_bg(4)
    rows = [counts[base] for base in "ACGT"]
    forward = MOODS.tools.log_odds(rows, background, _PSEUDOCOUNT)
    strands = [forward, MOODS.tools.reverse_complement(forward)]
    limit = MOODS.tools.threshold_from_p(forward, background, _P_VALUE)
    scanner = MOODS.scan.Scanner(7)
    scanner.set_motifs(strands, background, [limit, limit])
    return lambda: sum(len(hits) for hits in scanner.scan(bases))
