"""What the tables, columns, views and macros of a release mean: ``tables.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from copstats.framework.definitions import Definition
from copstats.framework.located import Located


class Described(Definition, frozen=True, kw_only=True):
    """A table or view; columns that only it has come with their text, common ones by name."""

    comment: str
    columns: dict[str, str] | list[str] = msgspec.field(default_factory=dict)
    key: list[str] = msgspec.field(default_factory=list)
    """Columns that tell the rows of a table apart."""
    refers: dict[str, str] = msgspec.field(default_factory=dict)
    """Column -> table whose only key column has the same codes."""


class Dictionary(Definition, frozen=True, kw_only=True):
    """``tables.yaml``."""

    columns: dict[str, str]
    tables: dict[str, Described]
    views: dict[str, Described]
    macros: dict[str, str]

    def column(self, table: str, name: str) -> str:
        """Return the text of a column: the table's own, else the common one."""
        own = {**self.tables, **self.views}[table].columns
        return own[name] if isinstance(own, dict) and name in own else self.columns[name]


@cache
def dictionary() -> Dictionary:
    """Return the data dictionary of a release."""
    return msgspec.convert(Located(Path(__file__).with_name("tables.yaml")).data, Dictionary)
