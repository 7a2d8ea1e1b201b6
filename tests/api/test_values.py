"""What is passed in place of a path, a number or a text is named, whatever it is."""

import functools
import importlib
import inspect
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import tfimpute_tracks
from tfimpute_tracks.api.values import MAX_SEED, check_number, check_whole
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.storage import write_text

NO_PATHS = (3, 2.5, [], ["a"], {"a": 1}, b"x", True, object(), np.array([[1], [2]]))
NEGATIVE = -1
NO_NUMBERS = ("x", "3", *NO_PATHS[2:], NEGATIVE, float("nan"))
NO_WHOLE_NUMBERS = (*NO_NUMBERS, 2.5)
NO_CHOICES = ("x", None, *NO_PATHS)
NO_TEXTS = (None, 3, [], [3], object())
PATHS = {
    "open_store": "path",
    "open_evidence": "name_or_path",
    "load_model": "name_or_path",
    "embeddings": "model",
    "train": "data out_dir",
    "evaluate": "data model evidence",
    "extend": "fasta out model evidence",
    "build_evidence": "out model",
    "to_bigwig": "out_dir",
    "write": "out_dir",
}
OPTIONAL_PATHS = {
    "train": "init_from",
    "evaluate": "out_dir",
    "extend": "pairs_table accessibility candidate_sites",
    "build_evidence": "pairs_table accessibility fasta chrom_sizes",
    "load_model": "evidence",
    "scan": "genes",
    "query": "genes",
    "variant_effects": "background_regions",
}
VALUES = [
    ("train", "epochs batch_size seed", NO_WHOLE_NUMBERS),
    ("train", "learning_rate", NO_NUMBERS),
    ("train", "roles test_chroms valid_chroms", NO_TEXTS),
    ("train", "hold_out", NO_CHOICES),
    ("train", "preset device", NO_PATHS),
    ("evaluate", "max_sites bootstrap permutations seed", NO_WHOLE_NUMBERS),
    ("evaluate", "roles test_chroms valid_chroms", NO_TEXTS),
    ("evaluate", "hold_out sites", NO_CHOICES),
    ("extend", "seed", NO_WHOLE_NUMBERS),
    ("extend", "test_chroms", NO_TEXTS[1:]),
    ("build_evidence", "roles", NO_TEXTS[1:]),
    ("build_evidence", "assembly", NO_PATHS),
    ("scan", "precision signal device", NO_CHOICES),
    ("scan", "stride", NO_WHOLE_NUMBERS),
    ("scan", "threshold", NO_NUMBERS),
    ("query", "tf cell", NO_PATHS),
    ("query", "top", NO_WHOLE_NUMBERS),
    ("variant_effects", "min_delta", NO_NUMBERS),
    ("variant_effects", "n_background seed stride", NO_WHOLE_NUMBERS),
    ("write", "formats", NO_TEXTS[1:]),
    ("call_peaks", "threshold", NO_NUMBERS),
]
CASES = [
    *((call, names, (None, *NO_PATHS)) for call, names in PATHS.items()),
    *((call, names, NO_PATHS) for call, names in OPTIONAL_PATHS.items()),
    *VALUES,
]


PAGE = Path(__file__).parents[2] / "docs" / "api-reference.md"
OF_VERBS = re.findall(r"tfimpute_tracks\.api\.(\w+)\.(\w+)", PAGE.read_text("utf-8"))
OF_ANNOTATIONS = {
    "str | Path": (None, *NO_PATHS),
    "str | Path | None": NO_PATHS,
    "str | None": NO_PATHS,
    "str": NO_PATHS,
    "int": NO_WHOLE_NUMBERS,
    "int | None": NO_WHOLE_NUMBERS,
    "float": NO_NUMBERS,
    "float | None": NO_NUMBERS,
}
# Any number is one, or whether it is depends on the model.
BY_TYPE = ("keep_below", "signal_threshold")


@pytest.fixture
def calls(weights, plain, tmp_path, monkeypatch):
    """Functions and methods with values for what must be there."""
    monkeypatch.chdir(tmp_path)
    write_text(Path("pairs.tsv"), "tf\tcell\tbed\trole\nCTCF\tK562\ta.bed\tbase\n")
    write_text(Path("a.bed"), "chr1\t100\t200\n")
    model = tfimpute_tracks.load_model(weights, None)
    scan = model.scan(plain, "chr1:1-900", "CTCF:K562")
    given = {
        "train": {"data": "nowhere.h5", "out_dir": "run"},
        "evaluate": {"data": "nowhere.h5", "model": weights},
        "extend": {"fasta": plain, "out": "x.safetensors", "evidence": "none"},
        "build_evidence": {"pairs_table": "pairs.tsv", "out": "e.h5"},
        "scan": {"fasta": plain, "region": "chr1:1-900", "pairs": "CTCF:K562"},
        "query": {"fasta": plain, "region": "chr1:1-900"},
        "variant_effects": {"variants": "x.vcf", "pairs": "CTCF:K562", "fasta": plain},
        "write": {"out_dir": "out"},
    }

    def of(name):
        owners = (o for o in (tfimpute_tracks, model, scan) if hasattr(o, name))
        return functools.partial(getattr(next(owners), name), **given.get(name, {}))

    return of


@pytest.mark.parametrize(("call", "names", "wrong"), CASES)
def test_values_of_another_type_are_named(calls, call, names, wrong):
    for name in names.split():
        for value in wrong:
            with pytest.raises(UsageError) as error:
                calls(call)(**{name: value})
            assert "\n" not in str(error.value)
            assert "nowhere" not in str(error.value)  # it is found before


@pytest.mark.parametrize(("module", "name"), OF_VERBS)
def test_functions_of_verbs_check_values_before_any_work(
    module, name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    function = getattr(importlib.import_module(f"tfimpute_tracks.api.{module}"), name)
    parameters = inspect.signature(function).parameters.values()
    needed = {p.name: "nowhere" for p in parameters if p.default is p.empty}
    for parameter in parameters:
        wrong = OF_ANNOTATIONS.get(parameter.annotation, ())
        if parameter.name in BY_TYPE:
            wrong = [value for value in wrong if value is not NEGATIVE]
        for value in wrong:
            with pytest.raises(UsageError) as error:
                function(**needed | {parameter.name: value})
            assert "nowhere" not in str(error.value), (parameter.name, value)
            assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_is_said(calls):
    for call, given, says in (
        ("train", {"data": 3}, "data 3; use a path"),
        ("open_store", {"path": None}, "store None; use a path"),
        ("scan", {"precision": ["exact"]}, "precision ['exact']; use exact or fast"),
        (
            "variant_effects",
            {"min_delta": "x"},
            "min_delta 'x'; use a number from 0 to 1",
        ),
        ("train", {"epochs": "2"}, "epochs '2'; use a whole number, 0 or more"),
        ("evaluate", {"sites": 3}, "sites 3; use test, valid or train"),
        ("write", {"formats": [3]}, "formats [3]; use a text, or a list of texts"),
    ):
        with pytest.raises(UsageError) as error:
            calls(call)(**given)
        assert str(error.value) == says


def test_any_kind_of_number_is_one():
    assert check_number(Fraction(1, 4), "x") == 0.25
    assert check_number(np.float32(0.5), "x") == 0.5
    check_whole(np.int64(7), "x")


@pytest.mark.parametrize("digits", [400, 5000])
def test_numbers_beyond_all_others_are_refused_in_a_line(digits):
    for check in (
        lambda: check_number(10**digits, "learning_rate"),
        lambda: check_whole(10**digits, "seed", 0, MAX_SEED),
    ):
        with pytest.raises(
            UsageError, match=r"^(learning_rate|seed) .{1,80}; use a"
        ) as error:
            check()
        assert "\n" not in str(error.value)
