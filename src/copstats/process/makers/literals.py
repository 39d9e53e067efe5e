"""SQL literals."""

from __future__ import annotations

from collections.abc import Iterable


def literal(value: int | float | str | bool) -> str:
    """Return a SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value).upper() if isinstance(value, bool) else repr(value)


def listed(values: Iterable[int | str]) -> str:
    """Return SQL literals with commas between them."""
    return ", ".join(literal(value) for value in values)
