"""Pieces of the screen on which a value is explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import RenderableType


def section(title: str, rows: Iterable[tuple[str, str | None]]) -> RenderableType:
    """Return a title and, below it, labels with their texts; those without a text are left out."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", min_width=18)
    table.add_column(overflow="fold")
    for label, text in rows:
        if text is not None:
            table.add_row(escape(label), escape(text))
    return Group(f"[bold]{escape(title)}[/]", table, "")


def listed(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """Return a title and a table below it."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(escape(name), overflow="fold")
    for row in rows:
        table.add_row(*(escape(text) for text in row))
    return Group(f"[bold]{escape(title)}[/]", table, "")
