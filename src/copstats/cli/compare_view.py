"""Shows comparisons: areas with their ranks, groups of surveys, rounds of surveys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from copstats.language import N_

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

    from copstats.compare import Comparison
    from copstats.language import Translations

Row = Mapping[str, Any]
Placed = tuple[tuple[str, ...], Row]
"""Where a row belongs, as it is shown, and the row."""

_SHOWN = 30
_LEVEL = 0.05
_LEAST = 0.001
_NOT_COMPARABLE = N_("not comparable (class C)")
_NOT_COMPARABLE_AS = N_("not comparable (class C): {reasons}")
_WITHHELD = N_("no value: {reason}")
_SAMPLES = {
    "independent": N_("Rounds are independent samples."),
    "linked": N_("Rounds share PSUs; the errors hold their covariance."),
    "assumed_independent": N_(
        "Rounds share PSUs that cannot be linked; the errors take them as independent."
    ),
    "covariance": N_("Groups share PSUs; the errors hold their covariance."),
    "bound": N_("The covariance of some groups is not known; their errors are the largest possible."),
}
_ADJUSTED = N_(
    "p (Holm) and p (BH) take all differences of this table into account: Holm bounds the chance of any wrong"
    " one, Benjamini-Hochberg the share of wrong ones. Bold: Holm at most 0.05."
)


def areas(found: Comparison, words: Translations) -> RenderableType:
    """Return the screen of a comparison of areas."""
    pairs = [((f"{row['ref_area_a']} - {row['ref_area_b']}",), row) for row in found.differences.to_pylist()]
    left_out = [((row["ref_area"], row["time_period"]), row) for row in found.left_out.to_pylist()]
    return Group(
        _values(found.values.to_pylist(), words),
        *_differences(words.text("Differences"), (N_("Areas"),), "difference", pairs, words),
        *_left_out((N_("Area"), N_("Year")), left_out, words),
    )


def groups(found: pa.Table, words: Translations) -> RenderableType:
    """Return the screen of differences between groups."""
    columns = (N_("Area"), N_("Year"), N_("Groups"))
    return _of_surveys(
        words.text("Differences between groups"),
        columns,
        "difference",
        [
            ((row["ref_area"], row["time_period"], f"{row['group_a']} - {row['group_b']}"), row)
            for row in found.to_pylist()
        ],
        words,
    )


def rounds(found: pa.Table, words: Translations) -> RenderableType:
    """Return the screen of changes between rounds."""
    columns = (N_("Area"), N_("Survey"), N_("Years"))
    return _of_surveys(
        words.text("Change between rounds"),
        columns,
        "change",
        [
            ((row["ref_area"], row["survey"], f"{row['time_period_from']}-{row['time_period_to']}"), row)
            for row in found.to_pylist()
        ],
        words,
    )


def rows(found: pa.Table) -> dict[str, object]:
    """Return a table of differences as it is printed with ``--json``."""
    return {"differences": found.to_pylist()}


def areas_as_json(found: Comparison) -> dict[str, object]:
    """Return a comparison of areas as it is printed with ``--json``."""
    return {
        "values": found.values.to_pylist(),
        "differences": found.differences.to_pylist(),
        "left_out": found.left_out.to_pylist(),
    }


def _values(found: Sequence[Row], words: Translations) -> Table:
    table = _table(
        words.text("Values and ranks, the highest first"),
        (
            N_("Area"),
            N_("Year"),
            N_("Value"),
            N_("95 % interval"),
            N_("Rank"),
            N_("Ranks possible"),
            N_("Class"),
        ),
        words,
    )
    for row in found:
        possible = f"{row['rank_best']}-{row['rank_worst']}"
        low, high = (words.number(row[name], 1) for name in ("ci_lower", "ci_upper"))
        table.add_row(
            escape(f"{row['ref_area']} {row['area'] or ''}".strip()),
            row["time_period"],
            words.number(row["value"], 1),
            f"{low} … {high}",
            str(row["rank"]),
            possible,
            row["comparability"],
        )
    return table


def _of_surveys(
    title: str, columns: Sequence[str], figure: str, found: Sequence[Placed], words: Translations
) -> RenderableType:
    tested = [one for one in found if one[1][figure] is not None]
    left_out = [one for one in found if one[1][figure] is None]
    parts = [*_differences(title, columns, figure, tested, words), *_left_out(columns, left_out, words)]
    return Group(*parts) if parts else escape(words.text("The release has none of them."))


def _differences(
    title: str, columns: Sequence[str], figure: str, found: Sequence[Placed], words: Translations
) -> Iterator[RenderableType]:
    if not found:
        return
    tests = (N_("Difference"), N_("95 % interval"), "p", "p (Holm)", "p (BH)", N_("Class"))
    table = _table(title, (*columns, *tests), words)
    for place, row in found[:_SHOWN]:
        sure = row["p_holm"] is not None and row["p_holm"] <= _LEVEL
        table.add_row(*map(escape, place), *_tested(row, figure, words), style="bold" if sure else None)
    yield ""
    yield table
    if len(found) > _SHOWN:
        yield _note(words.text("Further rows, with --json: {count}", count=words.number(len(found) - _SHOWN)))
    yield _note(words.text(_ADJUSTED))
    kinds = {row.get("samples") for _, row in found}
    yield from (_note(words.text(text)) for samples, text in _SAMPLES.items() if samples in kinds)


def _tested(row: Row, figure: str, words: Translations) -> tuple[str, ...]:
    low, high = (words.number(row[name], 1) for name in ("ci_lower", "ci_upper"))
    p = (_chance(row[name], words) for name in ("p", "p_holm", "p_bh"))
    return words.number(row[figure], 1), f"{low} … {high}", *p, row["comparability"]


def _chance(p: float, words: Translations) -> str:
    return words.number(p, 3) if p >= _LEAST else f"< {words.number(_LEAST, 3)}"


def _left_out(
    columns: Sequence[str], found: Sequence[Placed], words: Translations
) -> Iterator[RenderableType]:
    if not found:
        return
    table = _table(words.text("Left out"), (*columns, N_("Why")), words)
    for place, row in found[:_SHOWN]:
        table.add_row(*map(escape, place), escape(_why(row, words)))
    yield ""
    yield table


def _why(row: Row, words: Translations) -> str:
    if row["reason"] == "not_comparable":
        reasons = (row.get("comparability_reasons") or "").replace(";", ", ")
        return words.text(_NOT_COMPARABLE_AS, reasons=reasons) if reasons else words.text(_NOT_COMPARABLE)
    return words.text(_WITHHELD, reason=row["reason"])


def _table(title: str, columns: Iterable[str], words: Translations) -> Table:
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(escape(words.text(name)) if name else "")
    return table


def _note(text: str) -> str:
    return f"[dim]{escape(text)}[/]"
