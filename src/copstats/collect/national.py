"""The national columns of a data file as SQL: found by name, read as number or text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from copstats.collect.documents import nearest
from copstats.collect.readers import SourceFile, SourceHead
from copstats.errors import SubmissionError

TABLE = "national"
RECORD_NO = "record_no"
_WHOLE_BELOW = "1e15"
"""Whole numbers up to here are exact in a double."""
_GROUPS = {
    ",": "[,]",
    ".": "[.]",
    " ": "[ \u00a0\u2009\u202f]",
    "'": "[''\u2019]",
}
"""Thousands separator of the manifest -> the characters that stand for it in files, within an SQL literal."""


class NationalColumns:
    """Gives SQL for the columns of one data file, and collects the step that derives their other forms.

    A column can be wanted as it stands, as a number, as text, or as the text of a code. What is not there yet
    becomes a column of the step ``source``, with a name such as ``age (number)``, so that the SQL stays
    legible.
    """

    def __init__(self, file: SourceHead | SourceFile) -> None:
        self._file = file
        self._types = dict(zip(file.schema.names, file.schema.types, strict=True))
        self._aliases: dict[str, str] = {}
        self._derived: dict[str, str] = {}
        self._taken = {RECORD_NO}

    @property
    def used(self) -> tuple[str, ...]:
        """National columns that were asked for, in the order of the file."""
        return tuple(name for name in self._types if name in self._aliases)

    def find(self, name: str, where: str) -> str:
        """Return the column of this name, or the only one that differs from it by upper and lower case.

        Raises:
            SubmissionError: there is no such column, or there are several.
        """
        found = self.lookup(name)
        if found is not None:
            return found
        alike = [column for column in self._types if column.lower() == name.lower()]
        if alike:
            raise SubmissionError("S164", where=where, column=name, alike=", ".join(alike))
        known = nearest(name, self._types)
        raise SubmissionError("S160", where=where, column=name, file=self._file.name, known=known)

    def lookup(self, name: str) -> str | None:
        """Return the column of this name, matched as in `find`, or None."""
        if name in self._types:
            return name
        alike = [column for column in self._types if column.lower() == name.lower()]
        return alike[0] if len(alike) == 1 else None

    def matching(self, pattern: str) -> list[str]:
        """Return the columns whose whole name matches a regular expression, upper and lower case alike."""
        return [name for name in self._types if re.fullmatch(pattern, name, re.IGNORECASE)]

    def is_text(self, name: str) -> bool:
        """Whether the column holds text."""
        return bool(pa.types.is_string(self._types[name]))

    def raw(self, name: str) -> str:
        """Return the column as it stands."""
        if name not in self._aliases:
            self._aliases[name] = self._free(name)
        return identifier(self._aliases[name])

    def filled(self, names: Sequence[str]) -> str:
        """Return SQL that is TRUE where one of the cells is not blank."""
        return "(" + (" OR ".join(f"{self.raw(name)} IS NOT NULL" for name in names) or "FALSE") + ")"

    def number(self, name: str) -> str:
        """Return the column as a number; text that is no number gives NULL."""
        if not self.is_text(name):
            return self.raw(name)
        mark = f"[{self._file.decimal}]"
        whole, cell = "[0-9]+", self.raw(name)
        if (groups := _GROUPS.get(self._file.thousands or "")) is not None:
            whole = f"([0-9]+|[0-9]{{1,3}}({groups}[0-9]{{3}})+)"
        digits = rf"[+-]?({whole}({mark}[0-9]*)?|{mark}[0-9]+)([eE][+-]?[0-9]+)?"
        plain = f"regexp_replace({cell}, '{groups}', '', 'g')" if groups is not None else cell
        number = f"replace({plain}, ',', '.')" if self._file.decimal == "," else plain
        return self.derive(
            f"{name} (number)",
            f"CASE WHEN regexp_full_match({cell}, '{digits}') THEN TRY_CAST({number} AS DOUBLE) END",
        )

    def text(self, name: str) -> str:
        """Return the column as text; a whole number is written without a decimal point."""
        cell = self.raw(name)
        if self.is_text(name):
            return cell
        if pa.types.is_integer(self._types[name]):
            return self.derive(f"{name} (text)", f"CAST({cell} AS VARCHAR)")
        whole = f"{cell} = trunc({cell}) AND abs({cell}) < {_WHOLE_BELOW}"
        digits = f"CASE WHEN {whole} THEN CAST(CAST({cell} AS BIGINT) AS VARCHAR) END"
        return self.derive(f"{name} (text)", f"coalesce({digits}, CAST({cell} AS VARCHAR))")

    def code(self, name: str) -> str:
        """Return a text column with 1.0 written as 1, as `code_text` writes the keys of a map."""
        mark = "[,]" if self._file.decimal == "," else "[.]"
        form = f"regexp_replace({self.raw(name)}, '^([+-]?[0-9]+){mark}0+$', '\\1')"
        return self.derive(f"{name} (code)", form)

    def code_text(self, key: str | float) -> str:
        """Return a key of a map as text: 1, 1.0 and "1" are the same code; "01" is another."""
        if isinstance(key, str):
            mark = re.escape(self._file.decimal)
            return re.sub(rf"^([+-]?[0-9]+){mark}0+$", r"\1", key.strip())
        whole = key == int(key)
        return str(int(key)) if whole else repr(float(key)).replace(".", self._file.decimal)

    def derive(self, name: str, sql: str) -> str:
        """Add a column to the step ``source`` and return its quoted name."""
        if sql not in self._derived:
            self._derived[sql] = self._free(name)
        return identifier(self._derived[sql])

    def step(self) -> str:
        """Return the body of the step ``source``: the columns in use and what was derived from them."""
        columns = ["*", *(f"{sql} AS {identifier(alias)}" for sql, alias in self._derived.items())]
        return "SELECT\n    " + ",\n    ".join(columns) + f"\n  FROM {TABLE}"

    @property
    def schema(self) -> pa.Schema:
        """Names and types of `table`."""
        fields = [(self._aliases[name], self._types[name]) for name in self.used]
        return pa.schema([*fields, (RECORD_NO, pa.int64())])

    def table(self, chunk: pa.Table, first: int = 1) -> pa.Table:
        """Return the columns in use, with ``record_no``, under the names that the SQL gives them.

        Args:
            chunk: some records of the file, with all its columns.
            first: number of the first of them.
        """
        table = chunk.select(self.used).rename_columns([self._aliases[name] for name in self.used])
        return table.append_column(RECORD_NO, pa.arange(first, first + chunk.num_rows))

    def _free(self, name: str) -> str:
        """Return a name that no other column bears; upper and lower case are the same to the database."""
        free = name
        while free.lower() in self._taken:
            free += "~"
        self._taken.add(free.lower())
        return free


def identifier(name: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float) -> str:
    """Return an SQL literal."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
