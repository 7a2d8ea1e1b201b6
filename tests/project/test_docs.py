"""What the documents say is so: examples run, links lead, the verbs are listed."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re

import pytest

import tfimpute_tracks

# Modules that need one of these cannot be imported without its extra.
OPTIONAL = {"dask", "dask_jobqueue", "starlette", "triton", "uvicorn"}
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
# Their examples read files: tests/api/test_examples.py runs them.
WITH_FILES = {
    f"tfimpute_tracks.api.{name}"
    for name in (
        *("bulk", "catalogue", "comparing", "enhancers", "evidence", "evidence_files"),
        *("evidence_lift", "explaining", "exporting", "hubs", "learning"),
        *(
            "mutagenesis",
            "plotting",
            "preparing",
            "reporting",
            "scan_files",
            "splitting",
        ),
        *("store", "variant_files"),
    )
}
BLOCK = r"<!-- ci:{} -->\n```sh\n(.*?)```"

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(tfimpute_tracks.__path__, "tfimpute_tracks.")
)

MAX_LINE = 120  # columns of a document


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def verbs():
    """The command line's own list: {verb: its command}."""
    from typer.main import get_command

    from tfimpute_tracks.cli import make_app
    from tfimpute_tracks.commands.verbs import VERBS

    return get_command(make_app(VERBS)).commands


def _commands(group, prefix=""):
    """Yield (name, command) of every command, those of groups included."""
    for name, command in group.items():
        yield f"{prefix}{name}", command
        yield from _commands(getattr(command, "commands", {}), f"{prefix}{name} ")


def test_modules_load_and_their_examples_run():
    failed = []
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in OPTIONAL:
                raise
        else:
            if name in WITH_FILES:
                continue
            failed += [name] * (doctest.testmod(module).failed > 0)
    assert not failed, f"examples fail in {', '.join(failed)}"


def test_readme_is_one_page(readme):
    assert len(readme.splitlines()) <= 120


def test_every_command_and_option_has_help(verbs):
    commands = dict(_commands(verbs))
    assert "evidence build" in commands  # groups are entered
    bare = [name for name, command in commands.items() if not command.help]
    bare += [
        f"{name} {parameter.name}"
        for name, command in commands.items()
        for parameter in command.params
        if not getattr(parameter, "help", None) and parameter.name != "help"
    ]
    assert not bare, f"no help text: {', '.join(bare)}"


def test_a_verb_is_listed_with_the_first_line_of_its_help(verbs):
    from tfimpute_tracks.commands.verbs import VERBS

    commands = dict(_commands(verbs))
    for name, verb in VERBS.items():
        first = " ".join(commands[name].help.split("\n\n")[0].split())
        assert first == verb.summary, name


def test_readme_commands_are_marked_for_ci(readme):
    """.ci/run runs these blocks as they stand, so none may be lost."""
    lines = {
        name: re.findall(BLOCK.format(name), readme, re.DOTALL)
        for name in ("setup", "main", "test")
    }
    counts = {name: [b.count("\n") for b in found] for name, found in lines.items()}
    assert counts == {"setup": [2], "main": [1], "test": [1]}


def test_the_extras_are_listed_with_their_size(root, project):
    page = (root / "docs" / "install.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|.*\| [\d,]+ \|$", page, re.MULTILINE)
    extras = set(project["project"]["optional-dependencies"])
    assert sorted(listed) == sorted(extras - {"bench", "dev", "docs"})


def test_links_lead_to_files(root, repository_files):
    dead = [
        f"{document.relative_to(root)}: {target}"
        for document in repository_files
        if document.suffix == ".md"
        for target in LINK.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert not dead, f"dead links: {', '.join(dead)}"


def test_lines_of_documents_are_short(root, repository_files):
    long = [
        f"{document.relative_to(root)}:{number}"
        for document in repository_files
        if document.suffix == ".md"
        for number, line in enumerate(document.read_text("utf-8").splitlines(), 1)
        if len(line) > MAX_LINE
    ]
    assert not long, f"over {MAX_LINE} columns: {', '.join(long)}"
