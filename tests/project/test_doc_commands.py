"""Every command in the documents: its verb, options and values are those of today."""

import pytest
from typer.main import get_command

from doc_commands import doc_commands
from tfimpute_tracks.cli import _normalize, make_app
from tfimpute_tracks.commands.verbs import VERBS


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
        for words in doc_commands(document):
            n += 1
            try:
                _parse(verbs, words)
            except Exception as error:
                what = getattr(error, "message", repr(error))
                wrong.append(f"{document.relative_to(root)}: {' '.join(words)}: {what}")
    assert not wrong, "\n".join(wrong)
    assert n > 60
