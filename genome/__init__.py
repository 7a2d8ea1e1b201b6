"""Genome: sequence, intervals and signals along chromosomes.

FASTA files and the bundled example region (both ``Sequences``), BED and narrowPeak
files, genes, regions as users type them, names and sizes of chromosomes. Sites, their
labels and the peaks that overlap them are in ``dataset``.
"""

from __future__ import annotations

from tfimpute_tracks.genome.assemblies import (
    find_species,
    known_build,
    name_assembly,
    whole_assembly,
)
from tfimpute_tracks.genome.bed import (
    blacklisted,
    merge_intervals,
    read_bed,
    read_narrowpeak,
)
from tfimpute_tracks.genome.bundled import (
    bundled_genes,
    bundled_region,
    open_bundled,
)
from tfimpute_tracks.genome.cache import default_cache_dir
from tfimpute_tracks.genome.chroms import (
    check_build,
    match_chrom,
    match_chroms,
    read_chrom_sizes,
)
from tfimpute_tracks.genome.fasta import Genome, open_genome
from tfimpute_tracks.genome.gene_regions import find_gene, parse_locus, replace_genes
from tfimpute_tracks.genome.region import Region, parse_region, resolve_regions
from tfimpute_tracks.genome.sequences import Sequences, read_past_ends

__all__ = [
    "Genome",
    "Region",
    "Sequences",
    "blacklisted",
    "bundled_genes",
    "bundled_region",
    "check_build",
    "default_cache_dir",
    "find_gene",
    "find_species",
    "known_build",
    "match_chrom",
    "match_chroms",
    "merge_intervals",
    "name_assembly",
    "open_bundled",
    "open_genome",
    "parse_locus",
    "parse_region",
    "read_bed",
    "read_chrom_sizes",
    "read_narrowpeak",
    "read_past_ends",
    "replace_genes",
    "resolve_regions",
    "whole_assembly",
]
