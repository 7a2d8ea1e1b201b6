"""Motifs: whose they are, which of them filters look for, which carried a score."""
