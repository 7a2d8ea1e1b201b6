"""Labels: the rule base by base, and its borders to the bp."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.dataset.labels import LabelRule, label_sites
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome.bed import merge_intervals

SIZE = 400
TINY = LabelRule(site=20, central=15, min_covered=0.5, margin=10)


def naive_labels(centers, peaks, rule):
    """Paint every base, then look at each site: 1 positive, 0 negative, -1 ignored."""
    pad = rule.site + rule.margin
    painted = np.zeros(SIZE + 2 * pad, dtype=bool)
    for start, end in peaks:
        painted[pad + start : pad + end] = True
    labels = []
    for center in centers + pad:
        middle = center - rule.central // 2
        site = center - rule.site // 2
        covered = painted[middle : middle + rule.central].sum()
        near = painted[site - rule.margin : site + rule.site + rule.margin].any()
        positive = covered >= rule.min_covered * rule.central
        labels.append(1 if positive else -1 if near else 0)
    return labels


def fast_labels(centers, peaks, rule):
    frame = pd.DataFrame(
        {
            "chrom": "chr1",
            "start": [start for start, _ in peaks],
            "end": [end for _, end in peaks],
        }
    )
    merged = merge_intervals(frame)
    labels = np.zeros(len(centers), dtype=int)
    positive, ignored = label_sites(
        centers,
        merged["start"].to_numpy(np.int64),
        merged["end"].to_numpy(np.int64),
        rule,
    )
    labels[positive] = 1
    labels[ignored] = -1
    return labels.tolist()


intervals = st.tuples(st.integers(0, SIZE - 1), st.integers(1, 60)).map(
    lambda pair: (pair[0], min(pair[0] + pair[1], SIZE))
)
rules = st.builds(
    LabelRule,
    site=st.integers(15, 31),
    central=st.integers(1, 15),
    min_covered=st.sampled_from([0.25, 0.5, 1.0]),
    margin=st.integers(0, 20),
)


@given(
    centers=st.lists(st.integers(0, SIZE - 1), unique=True, max_size=40),
    peaks=st.lists(intervals, min_size=1, max_size=15),
    rule=rules,
)
def test_equals_painting_every_base(centers, peaks, rule):
    centers = np.array(sorted(centers), dtype=np.int64)
    assert fast_labels(centers, peaks, rule) == naive_labels(centers, peaks, rule)


# The site is 900..1100 and its middle 925..1075.
@pytest.mark.parametrize(
    ("peaks", "label"),
    [
        ([(800, 1000)], 1),  # 75 bp of the middle
        ([(800, 999)], -1),  # 74
        ([(925, 965), (1040, 1075)], 1),  # 40 + 35, of two peaks
        ([(925, 965), (945, 985)], -1),  # 60: what overlaps counts once
        ([(700, 800)], 0),  # ends 100 bp before the site
        ([(700, 801)], -1),
        ([(1200, 1300)], 0),  # begins 100 bp behind it
        ([(1199, 1300)], -1),
    ],
)
def test_borders_of_the_default_rule(peaks, label):
    assert fast_labels(np.array([1000]), peaks, LabelRule()) == [label]


def test_no_peaks_is_all_negative():
    none = np.array([], dtype=np.int64)
    positive, ignored = label_sites(np.array([50, 90]), none, none, TINY)
    assert positive.size == ignored.size == 0


@pytest.mark.parametrize(
    "change",
    [{"central": 0}, {"central": 201}, {"margin": -1}, {"min_covered": 0.0}],
)
def test_a_rule_without_sense_is_refused(change):
    with pytest.raises(UsageError, match="is invalid"):
        LabelRule(**change)
