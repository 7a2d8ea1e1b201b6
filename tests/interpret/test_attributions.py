"""Explained tiles as a table and as BED."""

import csv
from io import StringIO

import pytest

from tfimpute_tracks.genome import Region
from tfimpute_tracks.interpret.attributions import bed_text, instance_table
from tfimpute_tracks.interpret.explain import Explanation, MotifInstance
from tfimpute_tracks.interpret.filter_table import FilterName

NAMED = [FilterName("CTCF", 2, 6, 8), FilterName("filter001", 0, 8, 8)]
TILES = [
    Explanation(
        Region("chr2", 100, 160),
        3.0,
        -1.0,
        [MotifInstance(0, 110, "+", 5.0, 3.5), MotifInstance(1, 120, "-", 1.0, -0.25)],
    ),
    Explanation(
        Region("chr1", 10, 70),
        2.0,
        -1.0,
        [MotifInstance(0, 20, "-", 5.0, 2.95), MotifInstance(1, 40, "+", 1.0, 0.05)],
    ),
    Explanation(
        Region("chr2", 110, 170), 1.0, -1.0, [MotifInstance(0, 110, "+", 5.0, 2.0)]
    ),
]


def test_instances_are_listed_on_their_chromosome():
    table = instance_table(TILES, NAMED, 0.1)
    assert len(table) == 4
    assert table["residual"].tolist() == pytest.approx([0.75, 0.75, 0.0, 0.0])
    places = list(zip(table["chrom"], table["start"], table["end"], strict=True))
    assert places == [
        ("chr2", 112, 116),
        ("chr2", 120, 128),
        ("chr1", 22, 26),
        ("chr2", 112, 116),
    ]
    assert table["name"].tolist() == ["CTCF", "filter001", "CTCF", "CTCF"]


def test_bed_is_in_genome_order_with_each_instance_once():
    text = bed_text(instance_table(TILES, NAMED, 0.1), ["chr1", "chr2"])
    rows = list(csv.reader(StringIO(text), delimiter="\t"))
    assert [row[:6] for row in rows] == [
        ["chr1", "22", "26", "CTCF", "843", "-"],
        ["chr2", "112", "116", "CTCF", "1000", "+"],
        ["chr2", "120", "128", "filter001", "71", "-"],
    ]
    assert rows[0][8] == rows[1][8] != rows[2][8]
    assert bed_text(instance_table([], NAMED, 0.1), ["chr1"]) == ""
    assert instance_table(TILES, NAMED, 10).empty
