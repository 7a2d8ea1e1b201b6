"""The file that a plan is kept in: ``store.json``, one line for each of its parts."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.impute.plan import Block, Plan, ShardSize
from tfimpute_tracks.storage import write_text

__all__ = ["PLAN_FILE", "read_plan", "write_plan"]

PLAN_FILE = "store.json"
_FORMAT = "tfimpute-tracks bulk store"
_FORMAT_VERSION = 1
# Plans of before there was evidence do not tell it.
_BY_LETTERS: dict[str, Any] = {"evidence": {}, "basis": "sequence"}


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
    head: dict[str, Any] = {"format": _FORMAT, "format_version": _FORMAT_VERSION}
    entries = head | {"digest": plan.digest} | plan.entries()
    lines = [f"{json.dumps(key)}: {json.dumps(entries[key])}" for key in entries]
    write_text(folder / PLAN_FILE, "{\n" + ",\n".join(lines) + "\n}\n")


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
        There is none, or it is damaged, or of a format this release does not know.
    """
    path = folder / PLAN_FILE
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        found = entries["format"], entries["format_version"]
    except OSError as error:
        raise InputFileError(
            f"{folder} is no bulk store: no {PLAN_FILE} in it; give the folder that "
            "`tfimpute-tracks impute -o` wrote"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputFileError(_broken(path)) from error
    if found != (_FORMAT, _FORMAT_VERSION):
        raise InputFileError(
            f"{path} is a {found[0]!r}, version {found[1]}; this release reads "
            f"{_FORMAT!r}, version {_FORMAT_VERSION}"
        )
    try:
        entries = _BY_LETTERS | entries
        known = {entry.name: entries[entry.name] for entry in fields(Plan)}
        known["shard_size"] = ShardSize(*known["shard_size"])
        known["blocks"] = [Block(TileRange(*t), d) for t, d in known["blocks"]]
        plan = Plan(**known)
    except (KeyError, TypeError) as error:
        raise InputFileError(_broken(path)) from error
    if plan.digest != entries.get("digest"):
        raise InputFileError(_broken(path))
    return plan


def _broken(path: Path) -> str:
    return (
        f"{path} is damaged or was edited; put back a copy, or impute into another "
        "folder"
    )
