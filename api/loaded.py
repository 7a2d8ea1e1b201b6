"""What a model is before it predicts: its weights, its names, its evidence by genome.

:class:`tfimpute_tracks.models.model.Model`, the `core`, is the trained network; here it
meets genomes and files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfimpute_tracks.api.evidence_choice import (
    AUTO,
    NONE,
    check_evidence,
    choose_evidence,
)
from tfimpute_tracks.api.inputs import choose_genome
from tfimpute_tracks.api.values import check_model
from tfimpute_tracks.errors import UsageError, shown
from tfimpute_tracks.evidence import EvidenceStore
from tfimpute_tracks.models.loading import load_model

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.models.model import Model
    from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["LoadedModel"]


class LoadedModel:
    """A trained model and the evidence that was asked for.

    Parameters
    ----------
    name_or_path : str or Path
    evidence : str, Path, EvidenceStore or None
        As for :func:`tfimpute_tracks.load_model`.

    Attributes
    ----------
    core : tfimpute_tracks.models.model.Model
        The network and its card, without evidence.
    """

    def __init__(
        self,
        name_or_path: str | Path = "default",
        evidence: str | Path | EvidenceStore | None = AUTO,
    ) -> None:
        check_model(name_or_path)
        if evidence is not None:
            check_evidence(evidence)
        self.core: Model = load_model(name_or_path)
        self._source = name_or_path
        self._evidence = NONE if evidence is None else evidence
        self._chosen: tuple[dict[str, int], Model] | None = None

    @property
    def name(self) -> str:
        """Name of the weights."""
        return self.core.name

    @property
    def vocabulary(self) -> Vocabulary:
        """TFs and cell lines, which also finds names by their aliases."""
        return self.core.vocabulary

    @property
    def tfs(self) -> tuple[str, ...]:
        """Names of the TFs."""
        return self.core.tfs

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the cell lines."""
        return self.core.cells

    @property
    def card(self) -> dict[str, Any]:
        """The model card, of predictions from sequence."""
        return self.core.card

    def __repr__(self) -> str:
        return (
            f"Model({self.name!r}, {len(self.tfs)} TFs, {len(self.cells)} cell lines)"
        )

    def on(self, genome: Sequences) -> Model:
        """Choose the evidence for a genome.

        Parameters
        ----------
        genome : Sequences

        Returns
        -------
        tfimpute_tracks.models.model.Model
            With evidence, where there is some for the genome.

        Raises
        ------
        InputFileError, UsageError
            As :func:`tfimpute_tracks.api.evidence_choice.choose_evidence`.
        """
        sizes = dict(genome.chrom_sizes)
        if self._chosen is None or self._chosen[0] != sizes:
            chosen = choose_evidence(
                self.core, self._source, self._evidence, sizes, genome.name
            )
            self._chosen = sizes, chosen
        return self._chosen[1]

    @contextmanager
    def open_genome(self, fasta: str | Path | Sequences | None) -> Iterator[Sequences]:
        """Open a genome, unless it is open, and close what was opened.

        Parameters
        ----------
        fasta : str, Path, open genome or None
            None: the bundled example region.

        Yields
        ------
        Sequences

        Raises
        ------
        InputFileError
            The file is missing, empty or broken.
        UsageError
            What is given is neither.
        """
        if fasta is not None and not isinstance(fasta, str | Path):
            if not hasattr(fasta, "chrom_sizes"):
                raise UsageError(
                    f"genome {shown(fasta)}; use a FASTA or .2bit file, an open genome, or None"
                )
            yield fasta
            return
        path = None if fasta is None else Path(fasta)
        with choose_genome(path, self.core, None) as genome:
            yield genome
