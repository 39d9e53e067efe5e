"""A table of estimates as text, for a terminal or notebook."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

ROWS_SHOWN = 20


def as_text(table: pa.Table) -> str:
    """Return the first rows, without the columns that are empty."""
    shown = table.slice(0, ROWS_SHOWN)
    # Columns that say nothing here (no category, no design effect, no note) are left out.
    columns = {
        name: ["" if value is None else _cell(value) for value in shown.column(name).to_pylist()]
        for name in table.column_names
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    widths = {name: max(len(name), *map(len, cells)) for name, cells in columns.items()}
    lines = ["  ".join(name.rjust(width) for name, width in widths.items())]
    for row in range(shown.num_rows):
        lines.append("  ".join(columns[name][row].rjust(width) for name, width in widths.items()))
    if table.num_rows > ROWS_SHOWN:
        lines.append(f"... {table.num_rows} rows")
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
