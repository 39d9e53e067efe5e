"""A first look at a release in the terminal: areas by indicators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markup import escape
from rich.table import Table

from copstats.disclose import DisclosureProfile, load_profile
from copstats.store.engine import published_connection
from copstats.store.schemas import DIMENSIONS

_TOTAL = " AND ".join(f"{name} = '_T'" for name in DIMENSIONS)
_CELLS = f"""
SELECT
  v.ref_area, coalesce(a.area, v.ref_area), v.indicator,
  v.value, v.ci_lower, v.ci_upper, v.obs_status, v.comparability, v.reason
FROM indicator_value AS v LEFT JOIN area AS a USING (ref_area)
WHERE v.indicator IN (SELECT unnest($indicators)) AND v.standardised = 'N' AND {_TOTAL}
QUALIFY row_number() OVER (
  PARTITION BY v.ref_area, v.indicator ORDER BY v.time_period DESC, v.comparability, v.survey, v.source
) = 1
ORDER BY v.ref_area, v.indicator
"""  # noqa: S608
_CLASS_STYLE = {"A": "", "B": "yellow", "C": "dim"}
_AREA_WIDTH = 25
_CELL_WIDTH = 13


class _Cell(NamedTuple):
    ref_area: str
    area: str
    indicator: str
    value: float | None
    ci_lower: float | None
    ci_upper: float | None
    obs_status: str
    comparability: str | None
    reason: str | None


def countries_by_indicators(database: Path, indicators: Sequence[str]) -> RenderableType:
    """Return a table of areas by indicators with a legend.

    A cell holds the value of the newest survey, its class of comparability unless that is A, a star where the
    value is of low reliability, and its 95 % interval below; or the sign of the reason why there is no value.
    Indicators for which the terminal is too narrow follow in a second table.

    Args:
        database: ``copstats.duckdb`` of a release.
        indicators: codes, in the order of the columns.
    """
    with published_connection(database) as connection:
        found = connection.execute(_CELLS, {"indicators": list(indicators)}).fetchall()
        titles = dict(connection.execute("SELECT indicator, title FROM indicator").fetchall())
        label, framework = connection.execute("SELECT label, framework FROM release").fetchall()[0]
    return _Overview(
        label=label,
        titles={code: titles.get(code, "") for code in indicators},
        cells={(cell.ref_area, cell.indicator): cell for cell in (_Cell(*row) for row in found)},
        profile=load_profile(framework),
    )


@dataclass(frozen=True)
class _Overview:
    label: str
    titles: dict[str, str]
    cells: dict[tuple[str, str], _Cell]
    profile: DisclosureProfile

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        side_by_side = max(1, (options.max_width - _AREA_WIDTH) // _CELL_WIDTH)
        codes = list(self.titles)
        yield f"[bold]Release {escape(self.label)}[/]: per cent of children, with 95 % intervals"
        for start in range(0, len(codes), side_by_side):
            yield self._table(codes[start : start + side_by_side])
        yield self._legend()

    def _table(self, codes: Sequence[str]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Country", width=_AREA_WIDTH - 3, no_wrap=True, overflow="ellipsis")
        for code in codes:
            table.add_column(code + "  ", justify="right", min_width=_CELL_WIDTH - 3, no_wrap=True)
        for area, name in {cell.ref_area: cell.area for cell in self.cells.values()}.items():
            shown = (self.cells.get((area, code)) for code in codes)
            table.add_row(escape(name), *(_written(cell, self.profile) if cell else "" for cell in shown))
        return table

    def _legend(self) -> Table:
        legend = Table.grid(padding=(0, 1))
        legend.add_column(justify="right", no_wrap=True)
        legend.add_column()
        for code, title in self.titles.items():
            legend.add_row(f"[bold]{escape(code)}[/]", escape(title))
        legend.add_row("B, C", "comparable with caution; not comparable. Without a mark: comparable (A)")
        legend.add_row("*", "low reliability: read it with its interval")
        reasons = {cell.reason for cell in self.cells.values()}
        signs: dict[str, list[str]] = {}
        for code, reason in self.profile.reasons.items():
            if code in reasons:
                signs.setdefault(reason.sign, []).append(reason.label)
        for sign, labels in signs.items():
            legend.add_row(escape(sign), escape("; ".join(labels)))
        return legend


def _written(cell: _Cell, profile: DisclosureProfile) -> str:
    if cell.value is None or cell.ci_lower is None or cell.ci_upper is None:
        known = profile.reasons.get(cell.reason or "unknown")
        return f"[dim]{escape(known.sign if known else '?')}[/]  "
    figures = (cell.value, cell.ci_lower, cell.ci_upper)
    digits = 0 if all(figure.is_integer() for figure in figures) else 1
    value, lower, upper = (f"{figure:.{digits}f}" for figure in figures)
    reliability = "*" if cell.obs_status == "U" else ""
    grade = f" {cell.comparability}" if cell.comparability != "A" else "  "
    text = f"{value}{reliability}{grade}\n[dim]{lower}-{upper}[/]  "
    style = _CLASS_STYLE.get(cell.comparability or "C", "dim")
    return f"[{style}]{text}[/]" if style else text
