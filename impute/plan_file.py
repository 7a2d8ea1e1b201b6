"""The file of a plan: ``store.json``, one line for each field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.impute.plan import Plan
from tfimpute_tracks.storage import PLAN_FILE, write_text

__all__ = ["has_plan", "read_plan", "write_plan"]

_FORMAT = "tfimpute-tracks bulk store"
_FORMAT_VERSION = 4


def write_plan(folder: Path, plan: Plan) -> None:
    """Write ``store.json``.

    Parameters
    ----------
    folder : Path
    plan : Plan

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    write_text(folder / PLAN_FILE, _text(plan))


def has_plan(folder: Path, plan: Plan) -> bool:
    """Check whether a store has a plan, field by field: sooner than :func:`read_plan`.

    Parameters
    ----------
    folder : Path
    plan : Plan

    Returns
    -------
    bool
        False also where the file cannot be read.
    """
    try:
        return (folder / PLAN_FILE).read_bytes() == _text(plan).encode()
    except OSError:
        return False


def _text(plan: Plan) -> str:
    header: dict[str, Any] = {"format": _FORMAT, "format_version": _FORMAT_VERSION}
    values = header | {"digest": plan.digest} | plan.values_of(Plan)
    lines = [f"{json.dumps(key)}: {json.dumps(values[key])}" for key in values]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_plan(folder: Path) -> Plan:
    """Read ``store.json``.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Plan

    Raises
    ------
    InputFileError
        It is missing, damaged, or of a format this release does not know.
    """
    path = folder / PLAN_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values.pop("format"), values.pop("format_version")
        digest = values.pop("digest") if found == (_FORMAT, _FORMAT_VERSION) else ""
    except OSError as error:
        raise InputFileError(
            f"{folder} is not a bulk store: it has no {PLAN_FILE}; use the folder that "
            "`tfimpute-tracks impute -o` wrote"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, "not JSON of that format") from error
    if not digest:
        raise InputFileError(
            f"{path} is a {found[0]!r}, version {found[1]}; this release reads "
            f"{_FORMAT!r}, version {_FORMAT_VERSION}"
        )
    try:
        plan = Plan.from_json(values)
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    if plan.digest != digest:
        raise _damaged(path, "its digest does not match")
    return plan


def _damaged(path: Path, reason: str) -> InputFileError:
    return InputFileError(
        f"{path} is damaged or was edited ({reason}); restore a copy, or impute into "
        "another folder"
    )
