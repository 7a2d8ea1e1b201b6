"""The project speaks the field's language: words that readers would not know stay out.

Each expression is an old word of this project for which its documents have a standard
term. It is searched in the code with its comments and docstrings, in the help texts, in
the pages, the documents and the benchmarks, and in the names of tests. Words are also
found as parts of names, as in ``my_word``.
"""

from __future__ import annotations

import re

import pytest

# Old word -> what to write.
WORDS = {
    r"(?<!ASCII )(?<!case )letters?(?!-spacing|, digits)": "sequence, bases, nucleotides",
    r"told|(?<!\.)tells?|telling": "reports, lists, contains, tells apart: discriminates",
    r"worth": "performance, reliability, calibration",
    r"kept from": "held out",
    r"go(es|ing)? by": "uses, is conditioned on",
    r"stretch(es)?": "region, interval, segment",
    r"shel(f|ves)": "track folder, index",
    r"judg(e|ed|es|ing|ement)": "predict, score, evaluate",
    r"rivals?": "baselines, other methods",
    r"besides?": "next to, compared with, in addition to",
    r"peak lines?": "peak-calling threshold",
    r"lessons?": "batches",
    r"doubts?": "attention null logit",
    r"votes?": "attention output",
    r"whole or not at all": "atomically",
    r"taken up|goes on": "resumed, continues",
    r"remarks?|notify|notif(y|ies)": "warning, log message",
    r"(?<!binding )partners?": "matched background variant",
    r"mailed": "shareable",
    r"live pages?": "genome browser page",
    r"likeness": "similarity",
    r"slow twins?": "reference implementation",
    r"promis(e|es|ed)(?![.(])": "nominal FDR, calibrated estimate",
    r"shares? of": "fraction of",
    r"(?<!_)pictures?": "figure, plot, heatmap",
    r"heat maps?": "heatmap",
    r"exchanged?": "swapped",
    r"first weights": "initial weights",
    r"rooms?|house": "package, layer, project",
    r"busyness": "overall occupancy",
    r"wrong names": "label-permutation control",
    r"known as": "status",
    r"makes no sense": "is invalid",
    r"stands? twice": "is duplicate",
    r"is no (number|file|folder|pair|region)": "is not a ...",
    r"whom": "rewrite the sentence",
    r"hold it against": "correlate with",
    r"ask nothing": "skip confirmation",
    r"surroundings": "context",
    r"`saturate`|saturate --": "mutagenesis",
}
PATTERNS = {
    word: re.compile(rf"(?<![A-Za-z])({word})(?![A-Za-z])", re.IGNORECASE)
    for word in WORDS
}
ANY = re.compile(
    rf"(?<![A-Za-z])({'|'.join(WORDS)})(?![A-Za-z])", re.IGNORECASE
)  # to pass over most lines at once
TEXT = {".py", ".html", ".js", ".css", ".md"}
# Where a word has its plain meaning: letters of a logo, of a name, of the alphabet.
ALLOWED = {
    "interpret/filters.py": "letter",
    "interpret/jaspar.py": "letter",
    "interpret/motif_files.py": "letter",
    "interpret/motif_match.py": "letter",
    "plots/glyphs.py": "letter letters",
    "plots/mutagenesis.py": "letter letters",
    "plots/style.py": "letters",
    "tests/plots/test_logos.py": "letters",
    "tests/plots/test_mutagenesis.py": "letters",
    "tests/storage/test_atomic.py": "letters",
    "tests/variants/test_run.py": "letters",
}


def _found(text):
    """Yield (line number, word found, better words) of a text."""
    for number, line in enumerate(text.splitlines(), 1):
        for word, pattern in PATTERNS.items() if ANY.search(line) else ():
            for match in pattern.finditer(line):
                yield number, match[0], WORDS[word]


def test_old_words_stay_out_of_code_pages_and_documents(root, repository_files):
    found = []
    for path in repository_files:
        name = path.relative_to(root).as_posix()
        skipped = name.startswith(("tests/", "CHANGELOG"))
        if skipped or path.suffix not in TEXT or ".min." in name:
            continue
        for number, word, use in _found(path.read_text(encoding="utf-8")):
            if word.lower() not in ALLOWED.get(name, "").split():
                found.append(f"{name}:{number}: {word!r}: {use}")
    assert not found, "\n".join(found)


def test_old_words_stay_out_of_the_names_of_tests(root, repository_files):
    found = []
    for path in repository_files:
        name = path.relative_to(root).as_posix()
        if name.startswith("tests/") and path.suffix == ".py":
            tests = re.findall(r"def test_(\w+)", path.read_text(encoding="utf-8"))
            names = "\n".join([path.stem, *tests]).replace("_", " ")
            found += [
                f"{name}: {word!r}: {use}"
                for _, word, use in _found(names)
                if word not in ALLOWED.get(name, "").split()
            ]
    assert not found, "\n".join(found)


def test_old_words_are_found():
    lines = "the pair was kept from it\nn_letters = 3\nfine\nwhat it tells, Told"
    words = [(number, word) for number, word, _ in _found(lines)]
    assert words == [(1, "kept from"), (2, "letters"), (4, "tells"), (4, "Told")]


@pytest.mark.parametrize("word", ["bestow", "storytelling", "boldly", "unjudged"])
def test_parts_of_other_words_are_not(word):
    assert not list(_found(word))
