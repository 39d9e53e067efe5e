"""SPSS and Stata: codes as they stand, with labels and user-missing values kept beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import pyreadstat

from copstats.collect.parsers.common import (
    Column,
    Input,
    Parsed,
    ReadProblem,
    Request,
    Trace,
    Value,
    check_names,
    rows_of_chunk,
)

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_BYTES = 2**28
"""Of a chunk, as the file declares the widths of its columns."""
_EXTENDED_MISSING = re.compile("[a-z]")
_DAYS = {
    "SPSS": re.compile(r"(?:[AEJS]?DATE|MOYR|QYR|WKYR)\d+(?:\.\d+)?"),
    "Stata": re.compile(r"%-?t?d.*"),
}
_TIMES = {"SPSS": re.compile(r"(?:DATETIME|YMDHMS)\d+(?:\.\d+)?"), "Stata": re.compile(r"%-?t[cC].*")}
_CLOCKS = re.compile(r"D?TIME\d+(?:\.\d+)?")
_A_DATE = re.compile("|".join(f"(?:{p.pattern})" for p in (*_DAYS.values(), *_TIMES.values(), _CLOCKS)))

Part = tuple[dict[str, list[Any]], Any]


def parse(source: Input, request: Request) -> Parsed:
    """Return the table of an SPSS or Stata file, in chunks.

    User-missing values stay values (read otherwise, 8 and 9 vanish without a trace); Stata's extended missing
    values become the texts ``.a`` to ``.z``.

    Raises:
        ReadProblem: the file is damaged, cut short or in another encoding than it says.
    """
    reader = _Reader(source.file(), request)
    says = reader.says
    names = [name.strip() for name in says.column_names]
    check_names(names)
    letters = reader.letters() if request.format == "Stata" else {}
    columns = [_column(name, position, says, letters) for position, name in enumerate(names, start=1)]
    facts = {"file_label": bool((says.file_label or "").strip()), "file_note": _notes(says)}
    traces = [Trace(kind, "", count) for kind, count in facts.items() if count]
    return Parsed(columns, _chunks(reader, columns, letters, traces), traces)


class _Reader:
    """Calls the parser again and again, for some of the records each time.

    Attributes:
        says: what the file says of itself and its columns.
    """

    def __init__(self, file: BinaryIO, request: Request) -> None:
        self._file = file
        self._request = request
        self._options: dict[str, Any] = {}
        self._whole: Part | None = None
        self.says = self._read(metadataonly=True)[1]
        self._options = _formats_of_dates(self.says, request.format)

    def parts(self) -> Iterator[Part]:
        """Yield columns as lists, with what the parser says of them, for some of the records each time."""
        rows, first = _rows(self.says), 0
        if self.says.number_rows is not None and self.says.number_rows <= rows:
            self._whole = self._whole or self._read()
            yield self._whole
            return
        while True:
            cells, says = self._read(row_offset=first, row_limit=rows)
            found = len(next(iter(cells.values()), []))
            if found:
                yield cells, says
            if found < rows:
                return
            first += found

    def letters(self) -> dict[str, list[str]]:
        """Return numeric columns with the extended missing values that occur in them: they become text.

        Types are needed before the first chunk leaves, so a large file is gone through twice.
        """
        found: dict[str, set[str]] = {}
        for _, says in self.parts():
            for name, values in says.missing_user_values.items():
                found.setdefault(name, set()).update(values)
        return {name: sorted(values) for name, values in found.items()}

    def _read(self, **options: Any) -> Part:
        read = pyreadstat.read_sav if self._request.format == "SPSS" else pyreadstat.read_dta
        self._file.seek(0)
        with _told(self._request):
            cells, says = read(
                self._file,
                encoding=self._request.encoding,
                user_missing=True,
                apply_value_formats=False,
                output_format="dict",
                **self._options,
                **options,
            )
        return cells, says


def _chunks(
    reader: _Reader, columns: list[Column], letters: Mapping[str, Any], traces: list[Trace]
) -> Iterator[pa.Table]:
    from copstats.collect.parsers.arrays import table_of

    kinds = _kinds(reader.says) | dict.fromkeys(letters, "letters")
    labels = _Labels(columns)
    for cells, _ in reader.parts():
        arrays = [_array(cells[name], kinds[name]) for name in reader.says.column_names]
        table = table_of([column.name for column in columns], arrays)
        labels.look(table)
        yield table
    traces += labels.traces()


@contextmanager
def _told(request: Request) -> Iterator[None]:
    """Turn what the parser raises into a code: its messages can quote data."""
    try:
        yield
    except UnicodeDecodeError:
        raise ReadProblem("S142", line=0, encoding=request.encoding or "UTF-8") from None
    except pyreadstat.ReadstatError as problem:
        code = "S148" if "encod" in str(problem).lower() else "S140"
        raise ReadProblem(code) from None


def _rows(says: Any) -> int:
    """Return how many records a chunk holds: fewer where they hold long texts."""
    width: int = sum(says.variable_storage_width.values())
    return max(1, min(rows_of_chunk(int(says.number_columns)), CHUNK_BYTES // max(1, width)))


def _formats_of_dates(says: Any, format_name: str) -> dict[str, list[str]]:
    """Return the date and time formats of the file, of which the parser itself knows some only."""
    shown = {str(name) for name in says.original_variable_types.values()}
    return {
        "extra_date_formats": sorted(name for name in shown if _DAYS[format_name].fullmatch(name)),
        "extra_datetime_formats": sorted(name for name in shown if _TIMES[format_name].fullmatch(name)),
    }


def _kinds(says: Any) -> dict[str, str]:
    """Return column -> text, whole, number or date."""
    kinds = {}
    for name, stored in says.readstat_variable_types.items():
        if stored == "string":
            kinds[name] = "text"
        elif _A_DATE.fullmatch(says.original_variable_types.get(name) or ""):
            kinds[name] = "date"
        else:
            kinds[name] = "whole" if stored.startswith("int") else "number"
    return kinds


def _array(cells: Sequence[Any], kind: str) -> Any:
    """Return the cells of a column; ``letters`` among its numbers are missing values of Stata."""
    import pyarrow as pa

    from copstats.collect.parsers.arrays import text_array

    if kind in ("whole", "number"):
        return pa.array(cells, pa.int64() if kind == "whole" else pa.float64())
    if kind == "letters":
        return text_array([f".{cell}" if isinstance(cell, str) else cell for cell in cells], ".")
    return text_array(cells, ".")


def _column(name: str, position: int, says: Any, letters: Mapping[str, list[str]]) -> Column:
    numeric = says.readstat_variable_types.get(name) != "string"

    def value(code: Value) -> Value:
        """Return the key of a value label; letters label the extended missing values of Stata."""
        extended = numeric and isinstance(code, str) and _EXTENDED_MISSING.fullmatch(code)
        return f".{code}" if extended else code

    missing: list[Value] = [f".{letter}" for letter in letters.get(name, [])]
    ranges = []
    for one in says.missing_ranges.get(name, []):
        if one["lo"] == one["hi"]:
            missing.append(one["lo"])
        elif one["lo"] < one["hi"]:  # Some files declare the system-missing value (NaN) over again.
            ranges.append((one["lo"], one["hi"]))
    labels = says.variable_value_labels.get(name, {})
    return Column(
        name=name,
        position=position,
        label=says.column_names_to_labels.get(name) or None,
        value_labels=[(value(code), label) for code, label in labels.items()],
        missing_values=missing,
        missing_ranges=ranges,
    )


def _notes(says: Any) -> int:
    return sum(1 for note in says.notes or [] if str(note).strip())


class _Labels:
    """Counts value labels that no record uses: they can be names of schools or persons left behind."""

    def __init__(self, columns: list[Column]) -> None:
        self._unused = {c.name: {value for value, _ in c.value_labels} for c in columns if c.value_labels}

    def look(self, table: pa.Table) -> None:
        """Strike out the labels of the values that occur."""
        for name, unused in self._unused.items():
            if unused:
                unused.difference_update(table.column(name).unique().to_pylist())

    def traces(self) -> list[Trace]:
        """Return one trace for each column with such labels."""
        return [
            Trace("unused_value_label", name, len(codes)) for name, codes in self._unused.items() if codes
        ]
