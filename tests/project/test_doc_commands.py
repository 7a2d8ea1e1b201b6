"""Every command in the documents: its verb, options and values are those of today."""

import re
import shlex
from string import Template

import pytest
from typer.main import get_command

from tfimpute_tracks.cli import _normalize, make_app
from tfimpute_tracks.commands.verbs import VERBS

_COMMAND = re.compile(r"^ *(?:\$ )?(?:\.venv/bin/)?tfimpute-tracks (.+)$")
_VARIABLE = re.compile(r'^ *([A-Z]+)="([^"]*)"$')
_CUT = {"|", "&&", ";", ">", "2>", "2>&1", "#", "&"}


def _blocks(text):
    """Yield the lines of blocks of code, continued lines joined."""
    inside = False
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip().startswith("```"):
            inside = not inside
        elif inside or line.startswith("    "):
            yield line


def _commands(path):
    """Yield the words of each command; variables that a block sets are replaced."""
    values = {}
    for line in _blocks(path.read_text("utf-8")):
        found = _VARIABLE.match(line)
        if found:
            values[found.group(1)] = found.group(2)
        found = _COMMAND.match(line)
        if found:
            text = Template(found.group(1)).safe_substitute(values)
            words = shlex.split(text.replace(" ... ", " "), comments=True)
            ends = [i for i, word in enumerate(words) if word in _CUT]
            yield words[: ends[0]] if ends else words


@pytest.fixture(scope="module")
def verbs():
    return get_command(make_app(VERBS)).commands


def _parse(verbs, words):
    """Parse the words as the command line does, without running the verb."""
    words = _normalize([word for word in words if not word.startswith("<")])
    while words[0].startswith("-"):  # switches of all verbs
        words = words[1:]
    command, name = verbs[words[0]], words[0]
    rest = words[1:]
    if name not in VERBS:
        command, rest = command.commands[rest[0]], rest[1:]
    if rest != ["--help"]:
        context = command.make_context(name, rest)
        folder = context.params.get("folder")
        assert ":" not in str(folder), f"{folder} is a region"


def test_commands_parse(root, repository_files, verbs):
    wrong, n = [], 0
    for document in repository_files:
        if document.suffix != ".md" or "CHANGELOG" in document.name:
            continue
        for words in _commands(document):
            n += 1
            try:
                _parse(verbs, words)
            except Exception as error:
                what = getattr(error, "message", repr(error))
                wrong.append(f"{document.relative_to(root)}: {' '.join(words)}: {what}")
    assert not wrong, "\n".join(wrong)
    assert n > 60
