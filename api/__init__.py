"""The library: what people import, and what the verbs of the command line call.

:mod:`tfimpute_tracks` offers the names at its root. ``model`` is a model that scores
sequences, regions, alleles and loci; ``scan`` is what a scan returns. ``inputs`` and
``evidence_choice`` turn what users write into what a run takes, ``notes`` is how a run
speaks.
"""

__all__: list[str] = []
