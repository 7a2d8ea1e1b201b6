"""The command line: its commands, and errors as one line and an exit code.

Only the verb that is asked for is imported, and large libraries when it runs.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks import __version__
from tfimpute_tracks.commands.address_space import check_address_space
from tfimpute_tracks.commands.console import SETTINGS, capture_logging
from tfimpute_tracks.commands.streams import standard_streams
from tfimpute_tracks.commands.verbs import GROUPS, VERBS, load_verb
from tfimpute_tracks.errors import TracksError, UsageError, missing_package

__all__ = ["main", "make_app"]

_PROGRAM = "tfimpute-tracks"
_COMPLETION = "_TFIMPUTE_TRACKS_COMPLETE"  # set by the shell's completion
_INTERRUPTED = 130  # exit code of shells for Ctrl-C
_SWITCHES = {"--debug", "--no-progress", "-v", "--verbose", "-q", "--quiet"}


def _show_version(value: bool) -> None:
    if value:
        from tfimpute_tracks.evidence import SHIPPED
        from tfimpute_tracks.models import pretrained_models

        sys.stdout.write(
            f"{_PROGRAM} {__version__}\n"
            f"models: {', '.join(pretrained_models())}\n"
            f"evidence: {SHIPPED}\n"
        )
        raise typer.Exit


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
            help="Print the version, the models and the evidence, and exit.",
        ),
    ] = False,
) -> None:
    """Set the switches of all commands, which may precede or follow their names."""
    SETTINGS.verbose, SETTINGS.quiet = verbose, quiet
    SETTINGS.progress, SETTINGS.debug = not no_progress, debug


def make_app(loaded: Collection[str]) -> typer.Typer:
    """Build the parser.

    Parameters
    ----------
    loaded : collection of str
        The verbs to import with their options, of `VERBS`. The others are listed.

    Returns
    -------
    typer.Typer
    """
    app = typer.Typer(
        name=_PROGRAM,
        help="Genome browser tracks of TF binding, predicted from sequence for any TF "
        "and cell line.",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_settings)
    groups = {name: typer.Typer(help=summary) for name, (_, summary) in GROUPS.items()}
    for name, verb in VERBS.items():
        group, _, last = name.rpartition(" ")
        if group and not groups[group].registered_commands:
            app.add_typer(groups[group], name=group, rich_help_panel=GROUPS[group][0])
        parent = groups[group] if group else app
        panel = None if group else verb.panel
        if name in loaded:
            parent.command(last, rich_help_panel=panel)(load_verb(name))
        else:
            parent.command(last, help=verb.summary, rich_help_panel=panel)(_listed)
    return app


def _listed() -> None:
    """Stand for a verb that is listed and does not run."""


def _asked(typed: Sequence[str]) -> Collection[str]:
    """Find the verb of a command line; shells that complete a word need them all."""
    if _COMPLETION in os.environ:
        return VERBS
    words = [word for word in typed if not word.startswith("-")][:2]
    return {" ".join(words[:n]) for n in (1, 2)} & VERBS.keys()


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
    from tfimpute_tracks.storage import is_store

    return is_store(Path(argument))


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
    if arguments is None:
        # To look for cycles among what is loaded took a twentieth of a short command.
        gc.set_threshold(100_000)
    typed = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    capture_logging()
    with _ended_by_sigterm(), standard_streams():
        try:
            check_address_space(typed)
            code = _run(typed)
            sys.stdout.flush()
        except Exception as error:
            code = _report(error, typed)
    if arguments is None:
        gc.freeze()  # or Python looks for cycles among all that is loaded as it ends
    sys.exit(code)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM, as of a scheduler, end a run as Ctrl-C does: work done is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(typed: list[str]) -> int:
    try:
        words = _normalize(typed)
        code = make_app(_asked(words))(words, prog_name=_PROGRAM, standalone_mode=False)
        if code == _INTERRUPTED:  # some releases of typer swallow the exception
            raise KeyboardInterrupt
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted; run the same command to continue", _INTERRUPTED)
    return code if isinstance(code, int) else 0


def _report(error: Exception, typed: list[str]) -> int:
    """Say in one line what ended the run.

    Raises
    ------
    Exception
        What nobody expected, as it is.
    """
    verb = max(_asked(typed), key=len, default=_PROGRAM)
    error = missing_package(f"`{verb}`", error) or error
    if isinstance(error, TracksError):
        return _fail(str(error), error.exit_code)
    if isinstance(error, MemoryError) or "failed to map segment" in str(error):
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
