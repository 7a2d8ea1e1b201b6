"""The command line: its commands, and errors as one line and an exit code.

Large libraries are imported when a command runs, so that `--help` is fast.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks import __version__
from tfimpute_tracks.commands.browse import browse
from tfimpute_tracks.commands.cache import cache
from tfimpute_tracks.commands.card import card
from tfimpute_tracks.commands.catalogue import catalogue
from tfimpute_tracks.commands.compare import compare
from tfimpute_tracks.commands.console import SETTINGS, capture_logging
from tfimpute_tracks.commands.embeddings import embeddings
from tfimpute_tracks.commands.enhancers import enhancers
from tfimpute_tracks.commands.evaluate import evaluate
from tfimpute_tracks.commands.evidence import build as build_evidence
from tfimpute_tracks.commands.evidence import info as evidence_info
from tfimpute_tracks.commands.evidence_lift import lift as lift_evidence
from tfimpute_tracks.commands.evidence_train import train as train_evidence
from tfimpute_tracks.commands.explain import explain
from tfimpute_tracks.commands.export import export
from tfimpute_tracks.commands.extend import extend
from tfimpute_tracks.commands.hub import hub
from tfimpute_tracks.commands.impute import impute
from tfimpute_tracks.commands.info import info
from tfimpute_tracks.commands.motifs import motifs
from tfimpute_tracks.commands.mutagenesis import mutagenesis
from tfimpute_tracks.commands.plot import plot
from tfimpute_tracks.commands.prepare import prepare
from tfimpute_tracks.commands.query import query
from tfimpute_tracks.commands.report import report
from tfimpute_tracks.commands.scan import scan
from tfimpute_tracks.commands.selftest import selftest
from tfimpute_tracks.commands.split import split
from tfimpute_tracks.commands.streams import standard_streams
from tfimpute_tracks.commands.train import train
from tfimpute_tracks.commands.variants import variants
from tfimpute_tracks.errors import TracksError, UsageError

__all__ = ["app", "main"]

app = typer.Typer(
    name="tfimpute-tracks",
    help="Genome browser tracks of TF binding, predicted from sequence for any TF and "
    "cell line.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    *(scan, impute, export, query, catalogue, browse, hub, report, plot),
    *(variants, mutagenesis, enhancers, embeddings, motifs, explain),
    *(prepare, split, train, extend, card, evaluate, compare, info, cache, selftest),
)
for command in _COMMANDS:
    app.command()(command)
_evidence = typer.Typer(
    help="Measured peaks to condition predictions on: build, inspect, lift, train."
)
_evidence.command("build")(build_evidence)
_evidence.command("info")(evidence_info)
_evidence.command("lift")(lift_evidence)
_evidence.command("train")(train_evidence)
app.add_typer(_evidence, name="evidence")

_INTERRUPTED = 130  # exit code of shells for Ctrl-C
_SWITCHES = {"--debug", "--no-progress", "-v", "--verbose", "-q", "--quiet"}


def _show_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"tfimpute-tracks {__version__}\n")
        raise typer.Exit


@app.callback()
def _settings(
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print more log messages.")
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "-q", "--quiet", help="Print errors and warnings about results only."
        ),
    ] = False,
    no_progress: Annotated[
        bool, typer.Option("--no-progress", help="Hide progress bars.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Set the switches of all commands, which may precede or follow their names."""
    SETTINGS.verbose, SETTINGS.quiet = verbose, quiet
    SETTINGS.progress, SETTINGS.debug = not no_progress, debug


def _normalize(arguments: Sequence[str]) -> list[str]:
    """Accept `--out_dir`, `--chroms chr1 chr2`, and switches anywhere; no empty value."""
    switches: list[str] = []
    rest: list[str] = []
    many = ""
    for position, argument in enumerate(arguments):
        if argument == "" or (argument.startswith("--") and argument.endswith("=")):
            option = argument or (arguments[position - 1] if position else "argument 1")
            raise UsageError(
                f"{option.rstrip('=')}: its value is empty; write one, or check the "
                "shell variable"
            )
        if argument == "--":
            rest += arguments[position:]
            break
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            argument = name.replace("_", "-") + equals + value
        if argument in _SWITCHES:
            switches.append(argument)
            many = ""
        elif argument == "--chroms":
            many = argument
        elif many and not argument.startswith("-") and not _is_store(argument):
            rest += [many, argument]
        else:
            many = ""
            rest.append(argument)
    return switches + rest


def _is_store(argument: str) -> bool:
    """Check whether a word after `--chroms` is a bulk store and not a chromosome."""
    return Path(argument, "store.json").is_file()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Raises
    ------
    SystemExit
        Always: 0 done, 2 wrong usage, 1 failed run, 130 interrupted, 141 nobody reads
        the output any more.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    capture_logging()
    with standard_streams():
        try:
            code = _run(typed)
            sys.stdout.flush()
        except Exception as error:
            code = _report(error)
    sys.exit(code)


def _run(typed: list[str]) -> int:
    try:
        code = app(
            _normalize(typed), prog_name="tfimpute-tracks", standalone_mode=False
        )
        if code == _INTERRUPTED:  # some releases of typer swallow the exception
            raise KeyboardInterrupt
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted; run the same command to continue", _INTERRUPTED)
    return code if isinstance(code, int) else 0


def _report(error: Exception) -> int:
    """Say in one line what ended the run.

    Raises
    ------
    Exception
        What nobody expected, as it is.
    """
    if isinstance(error, TracksError):
        return _fail(str(error), error.exit_code)
    if isinstance(error, MemoryError):
        return _fail(
            "out of memory, or of what `ulimit -v` allows; use fewer pairs or --threads",
            1,
        )
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return _fail(
            "the system starts no more threads, for lack of memory or by a limit "
            "(`ulimit -u`, `ulimit -v`); use fewer --threads",
            1,
        )
    if isinstance(error, OSError) and error.strerror:
        # Of the machine, not of the code: a full disk, a folder that went away.
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror}", 1)
    # A wrong option raises a click error. Some releases of typer contain their own copy
    # of click, so the class is recognized by its method.
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        raise error
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tfimpute-tracks"
    return _fail(f"{format_message()} (see `{command} --help`)", 2)


def _fail(message: str, code: int) -> int:
    if SETTINGS.debug:
        traceback.print_exc()
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return code


if __name__ == "__main__":
    main()
