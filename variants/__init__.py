"""Variants: what changes of letters do to scores, one allele beside the other.

Data flows from ``records`` (lines of a VCF or of a table) over ``checked`` (which of
their alleles can be scored, and why others cannot) and ``alleles`` (both alleles in the
genome's letters, scored: ``rows``, ``cores``) to ``tables``, ``stretches`` (tracks) and
``maps``. ``partners`` and ``background`` tell how much the same change does elsewhere,
``saturation`` what every letter of a region does. ``run`` puts a file's together.
"""
