"""Holds a country's estimates against values that other organisations published for it (ESS level 5)."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from copstats.errors import DefinitionError
from copstats.process.compiled import Judged, Parameter
from copstats.process.figures import significant
from copstats.process.judging import decided, undecided
from copstats.process.records import RecordTable

EXTERNAL = pa.schema(
    [
        pa.field("ref_area", pa.string(), nullable=False),
        pa.field("year", pa.int32(), nullable=False),
        # Code of the framework.
        pa.field("indicator", pa.string(), nullable=False),
        # In the unit in which values are shown: shares in per cent.
        pa.field("value", pa.float64(), nullable=False),
        # Standard error in the same unit.
        pa.field("se", pa.float64(), nullable=True),
        pa.field("source", pa.string(), nullable=False),
    ]
)
"""Values of indicators that other organisations published."""
EXTERNAL_FAR = "external_far"
YEARS = 5
"""A value of a year further from the reference year says little of it; our choice."""
POINTS = 5.0
"""Other ages, wordings and modes explain a smaller difference; our choice."""
_STANDARD_ERRORS = 2
_LARGEST_YEAR = 9999
_DIGITS = 9
"""Beyond these a difference of two numbers holds rounding errors only."""


def read_external(path: Path) -> pa.Table:
    """Read values published elsewhere: a CSV file in UTF-8 with the columns of `EXTERNAL`.

    Raises:
        DefinitionError: a column is missing (D213), a cell cannot be read (D214, with line and column), or a
            source has two values of one indicator, area and year (D215).
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if lacking := [name for name in EXTERNAL.names if name not in (reader.fieldnames or ())]:
            raise DefinitionError("D213", where=path.name, columns=", ".join(lacking))
        rows = [_row(row, f"{path.name}:{reader.line_num}") for row in reader]
    _check_repeated(rows, path.name)
    return pa.Table.from_pylist(rows, schema=EXTERNAL)


def _row(row: Mapping[str, str | None], where: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for column in EXTERNAL:
        try:
            out[column.name] = _cell((row[column.name] or "").strip(), column)
        except ValueError:
            raise DefinitionError("D214", where=where, column=column.name) from None
    return out


def _cell(text: str, column: pa.Field) -> Parameter | None:
    if not text:
        if column.nullable:
            return None
        raise ValueError
    if column.type == pa.string():
        return text
    number = int(text) if column.type == pa.int32() else float(text)
    largest = _LARGEST_YEAR if column.type == pa.int32() else number
    if not math.isfinite(number) or not 0 <= number <= largest:
        raise ValueError
    return number


def _check_repeated(rows: Iterable[Mapping[str, Any]], name: str) -> None:
    counted = Counter((row["indicator"], row["ref_area"], row["year"], row["source"]) for row in rows)
    for (indicator, area, year, source), count in counted.items():
        if count > 1:
            raise DefinitionError(
                "D215", where=name, indicator=indicator, area=area, year=year, source=source
            )


def judge_external(table: RecordTable, own: pa.Table | None, external: pa.Table | None) -> Iterator[Judged]:
    """Yield one outcome for each indicator of the submission.

    An estimate differs if it lies more than two standard errors of a difference of independent estimates,
    ``2 * sqrt(se^2 + se_ext^2)``, and more than `POINTS` from the published value. A standard error that is
    not known counts as 0.

    Args:
        table: the file of children, on which the outcomes are told.
        own: the submission's estimates, see `copstats.process.peers.judge_peers`.
        external: see `EXTERNAL`; both tables are in the unit in which values are to be shown. The value of
            the year nearest to the reference year is taken, the later of two years and the first of a year.
    """
    if external is None:
        yield undecided(table, EXTERNAL_FAR, "no_external_values")
        return
    if own is None or own.num_rows == 0:
        yield undecided(table, EXTERNAL_FAR, "no_own_estimates")
        return
    published = _nearest(table, external)
    for row in sorted(own.to_pylist(), key=lambda row: str(row["indicator"])):
        if row["estimate"] is not None:
            yield _judge(table, row, published.get(row["indicator"]))


def _nearest(table: RecordTable, external: pa.Table) -> dict[str, Mapping[str, Any]]:
    """Return for each indicator the row that the submission is held against."""
    area, now = table.manifest.ref_area, table.manifest.reference_year
    rows = [r for r in external.to_pylist() if r["ref_area"] == area and abs(r["year"] - now) <= YEARS]
    # The best comes last and stays; what stood first wins among equals.
    rows = sorted(reversed(rows), key=lambda row: (-abs(row["year"] - now), row["year"]))
    return {row["indicator"]: row for row in rows}


def _judge(table: RecordTable, own: Mapping[str, Any], published: Mapping[str, Any] | None) -> Judged:
    indicator = own["indicator"]
    if published is None:
        return undecided(table, EXTERNAL_FAR, "no_external_values", subject=indicator)
    now, reference = own["estimate"], published["value"]
    off = round(abs(now - reference), _DIGITS)
    error = math.hypot(own["se"] or 0.0, published["se"] or 0.0)
    far = off > POINTS and off > round(_STANDARD_ERRORS * error, _DIGITS)
    told: dict[str, Parameter] = {
        "indicator": indicator,
        "now": significant(now, 3) or 0.0,
        "reference": significant(reference, 3) or 0.0,
        "source": published["source"],
        # A number would get a separator of thousands.
        "year": str(published["year"]),
    }
    return decided(table, EXTERNAL_FAR, None, told if far else None, subject=indicator)
