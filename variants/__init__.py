"""Variants: effects of sequence changes on binding, one allele compared with the other.

``records`` reads a VCF or a table, ``validate`` checks which alleles can be scored,
``alleles`` scores both alleles of a variant, and ``tables``, ``annotated_vcf``,
``allele_tracks`` and ``heatmaps`` write the results. ``matched_background`` samples
similar changes at other loci, and ``background`` gives quantiles among them.
``mutagenesis`` scores every substitution of a region. ``run`` connects all of this for a
file.
"""

__all__ = ["MANY_PAIRS", "MIN_DELTA", "N_BACKGROUND", "N_BACKGROUND_MANY"]

MANY_PAIRS = 1000
"""More pairs than these have other defaults."""
MIN_DELTA = 0.001
"""With many pairs, rows with a smaller change in probability are left out."""
N_BACKGROUND = 1000
"""Matched background variants of a run."""
N_BACKGROUND_MANY = 200
"""The same with many pairs."""
