"""Progress bars on a terminal: apart, because other runs need none of what draws them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from tfimpute_tracks.api.progress import Advance

__all__ = ["draw_bar"]


class _Rate(ProgressColumn):
    """Finished units per second, in the unit of the bar."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit, scale = task.fields["unit"], task.fields["scale"]
        return Text(f"{speed / scale:.2f} {unit}/s" if speed else "")


@contextmanager
def draw_bar(
    title: str, total: int | None, unit: str, scale: float
) -> Iterator[Advance]:
    """Draw a bar on stderr while the block runs.

    Parameters
    ----------
    title, total, unit, scale
        As for :func:`tfimpute_tracks.commands.console.progress_bar`.

    Yields
    ------
    Advance
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task(title, total=total, unit=unit, scale=scale, note="")

        def advance(n: int, note: str = "") -> None:
            progress.update(task, advance=n, note=note)

        yield advance
