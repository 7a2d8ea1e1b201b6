"""Variants: what changes of letters do to scores, one allele beside the other.

Data flows from ``records`` (lines of a VCF or of a table) over ``checked`` (which of
their alleles can be scored, and why others cannot) and ``alleles`` (both alleles in the
genome's letters, scored) to ``output`` (tables, and the VCF annotated).
"""
