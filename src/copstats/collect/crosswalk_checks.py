"""What can be said of a crosswalk before the data are read: names, codes, contradictions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from copstats.collect.documents import Document, nearest
from copstats.collect.expression_guard import parse_expression
from copstats.collect.expression_terms import Result
from copstats.errors import SubmissionError
from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.manifest import Crosswalk, Mapping, RangeRecode

RECODES = ("map", "range", "copy", "sql")
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)([.][0-9]+)?")


def check_crosswalk(
    crosswalk: Crosswalk, document: Document, framework: Framework
) -> Iterator[SubmissionError]:
    """Yield everything that is wrong with a crosswalk of the right form."""
    if crosswalk.framework != framework.id:
        yield SubmissionError("S113", where=document.where("framework"), framework=framework.id)
    kinds: tuple[RecordKind, ...] = ("child", "parent")
    for record in kinds:
        for name, mapping in getattr(crosswalk, record).items():
            variable = framework_variable(framework, record, name)
            if variable is None:
                known = nearest(name, framework.variables(record))
                where = document.where(record, name)
                yield SubmissionError("S112", where=where, variable=name, record=record, known=known)
            else:
                yield from _check_mapping(name, variable, mapping, _Lines(document, record, name), framework)


def framework_variable(framework: Framework, record: RecordKind, name: str) -> Variable | None:
    """Return the variable of this name; ``repw_001`` belongs to the series ``repw``."""
    variables = framework.variables(record)
    if name in variables:
        return None if variables[name].series else variables[name]
    series = variables.get(re.sub(r"_[0-9]{3}$", "", name))
    return series if series is not None and series.series else None


def wanted_kind(variable: Variable) -> Result:
    """Return the kind of value that a variable holds."""
    return "text" if variable.type in ("string", "month") else "number"


class _Lines:
    """Finds the line of an entry of one mapping."""

    def __init__(self, document: Document, record: str, name: str) -> None:
        self._document = document
        self._place = (record, name)

    def __call__(self, *keys: str | int | float) -> str:
        return self._document.where(*self._place, *keys)


def _check_mapping(
    name: str, variable: Variable, mapping: Mapping, line: _Lines, framework: Framework
) -> Iterator[SubmissionError]:
    given = [recode for recode in RECODES if getattr(mapping, recode) is not None]
    if len(given) > 1:
        yield SubmissionError("S114", where=line(given[1]), variable=name, recodes=", ".join(given))
    if mapping.sql is not None:
        if mapping.source is not None:
            yield SubmissionError("S114", where=line("source"), variable=name, recodes="source, sql")
        try:
            parse_expression(mapping.sql, wanted_kind(variable), line("sql"))
        except SubmissionError as error:
            yield error
    yield from _check_keys(mapping, line)
    yield from _check_ranges(mapping.range or [], line)
    yield from _check_targets(name, variable, mapping, line, framework)


def _check_keys(mapping: Mapping, line: _Lines) -> Iterator[SubmissionError]:
    """Keys such as 1 and "1" are the same value; they must not have two targets."""
    seen: dict[str | float, int | str] = {}
    for key, target in (mapping.map or {}).items():
        text = str(key).strip()
        same = float(text) if _NUMBER.fullmatch(text) else text
        if seen.setdefault(same, target) != target:
            yield SubmissionError("S115", where=line("map", key))


def _check_ranges(ranges: list[RangeRecode], line: _Lines) -> Iterator[SubmissionError]:
    """Both ends belong to a range, so 0-10 and 10-20 overlap at 10."""
    bounds = [
        (
            float("-inf") if one.lower is None else one.lower,
            float("inf") if one.upper is None else one.upper,
            index,
        )
        for index, one in enumerate(ranges)
    ]
    ordered = sorted(bounds)
    for lower, upper, index in ordered:
        if lower > upper:
            yield SubmissionError("S116", where=line("range", index))
    for (_, upper, _), (lower, _, index) in pairwise(ordered):
        if lower <= upper:
            yield SubmissionError("S116", where=line("range", index))


def _check_targets(
    name: str, variable: Variable, mapping: Mapping, line: _Lines, framework: Framework
) -> Iterator[SubmissionError]:
    codes = framework.codes(variable)
    allowed = codes.keys() | framework.head.missing.keys() if codes else None
    targets: list[tuple[int | str, str]] = [
        *((target, line("map", key)) for key, target in (mapping.map or {}).items()),
        *((one.code, line("range", index)) for index, one in enumerate(mapping.range or [])),
        *([(mapping.blank, line("blank"))] if mapping.blank is not None else []),
    ]
    for target, where in targets:
        if isinstance(target, str) and wanted_kind(variable) == "number":
            yield SubmissionError("S117", where=where, variable=name, known="numbers")
        elif allowed is not None and target not in allowed:
            known = ", ".join(str(code) for code in sorted(allowed, key=lambda c: (c < 0, abs(c))))
            yield SubmissionError("S117", where=where, variable=name, known=known)
