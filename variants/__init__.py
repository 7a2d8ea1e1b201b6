"""Variants: effects of sequence changes on binding, one allele compared with the other.

``records`` reads a VCF or a table, ``validate`` checks which alleles can be scored,
``alleles`` scores both alleles of a variant, and ``tables``, ``annotated_vcf``,
``allele_tracks`` and ``heatmaps`` write the results. ``matched_background`` samples
similar changes at other loci, and ``background`` gives quantiles among them.
``mutagenesis`` scores every substitution of a region. ``run`` connects all of this for a
file.
"""
