"""Compares the values that a national column can hold with those of a framework variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from copstats.collect.matching import KeyWords, normalised
from copstats.collect.readers import SourceColumn, SourceFile, Value
from copstats.framework import Framework
from copstats.framework.definitions import Variable

_MOST_EXTRA_CODES = 6
"""Missing codes and the like, beyond the code list."""
_MOST_YEARS = 40
_FEWEST_WEIGHTS = 10
_WHOLE_ANSWER = 0.5
"""Share of the letters of a value label that its key words cover at least."""
_A_NUMBER = "^[+-]?[0-9]+([.,][0-9]+)?$"
_NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?![\w.,])")


@dataclass(frozen=True)
class ColumnShape:
    """What is looked at in the cells of a column; nothing of it is shown.

    Attributes:
        text: its cells are text, and not all of them numbers.
        distinct: number of distinct values.
        records: number of records of the file.
    """

    text: bool
    distinct: int
    records: int

    @classmethod
    def of(cls, file: SourceFile, name: str) -> ColumnShape:
        """Return the shape of a column."""
        cells = file.table.column(name)
        text = (
            pa.types.is_string(cells.type)
            and not pc.all(pc.match_substring_regex(cells, _A_NUMBER), min_count=0).as_py()
        )
        return cls(bool(text), pc.count_distinct(cells).as_py(), file.records)


@dataclass(frozen=True)
class Answers:
    """Outcome of the comparison.

    Attributes:
        fit: 0 (the column cannot hold the variable) to 1.
        recode: national value -> framework code, where every value label was understood.
    """

    fit: float
    recode: Mapping[Value, int] = field(default_factory=dict)


def compare_answers(
    variable: Variable, column: SourceColumn, shape: ColumnShape, framework: Framework, words: KeyWords
) -> Answers:
    """Return how well the values of a column fit a variable.

    Args:
        variable: the framework variable.
        column: value labels of the column.
        shape: type and number of distinct values of the column.
        framework: code lists and missing codes.
        words: key words of answers.
    """
    if shape.distinct == 0:
        return Answers(0.0)
    missing, answers = _split(column.value_labels, framework, words)
    if variable.type == "code":
        codes = {code: entry.label for code, entry in framework.codes(variable).items()}
        if not answers:
            return Answers(0.6 if shape.distinct <= len(codes) + _MOST_EXTRA_CODES else 0.0)
        return _coded(codes, words.says.codelists.get(variable.codelist or "", {}), missing, answers, words)
    if variable.type == "integer":
        return _whole_number(missing, answers, shape)
    if variable.type == "number":
        plausible = not shape.text and not answers and shape.distinct > _FEWEST_WEIGHTS
        return Answers(0.9 if plausible else 0.0)
    return Answers(_text_fit(variable, shape, labelled=bool(answers)))


def _text_fit(variable: Variable, shape: ColumnShape, *, labelled: bool) -> float:
    if variable.role == "identifier" and variable.status == "required":
        return 0.9 if shape.distinct == shape.records else 0.3
    if variable.role == "design":
        return 0.8 if shape.distinct < shape.records else 0.3
    return 0.5 if labelled else 0.7


def _split(
    labels: Mapping[Value, str], framework: Framework, words: KeyWords
) -> tuple[dict[Value, int], dict[Value, str]]:
    """Return value -> missing code, and value -> label of the others."""
    exact = {normalised(code.label): number for number, code in framework.head.missing.items()}
    missing: dict[Value, int] = {}
    answers: dict[Value, str] = {}
    for value, label in labels.items():
        text = normalised(label)
        code = exact.get(text, _by_words(text, words.says.missing, words))
        if code is None:
            answers[value] = label
        else:
            missing[value] = code
    return missing, answers


def _by_words(text: str, answers: Mapping[int, str], words: KeyWords) -> int | None:
    """Return the only code whose answer a value label gives, or None."""
    found = words.answers.found(text)
    codes = [code for code, answer in answers.items() if answer in found.concepts]
    return codes[0] if len(codes) == 1 and found.explained >= _WHOLE_ANSWER else None


def _coded(
    codes: Mapping[int, str],
    by_words: Mapping[int, str],
    missing: Mapping[Value, int],
    answers: Mapping[Value, str],
    words: KeyWords,
) -> Answers:
    """Hold value labels against a code list: F measure of the codes that are recognised."""
    exact = {normalised(label): code for code, label in codes.items()}
    matched: dict[Value, int] = {}
    for value, label in answers.items():
        text = normalised(label)
        code = exact.get(text, _by_words(text, by_words, words))
        if code is not None:
            matched[value] = code
    precision = len(matched) / len(answers)
    recall = len(set(matched.values())) / len(codes)
    fit = 2 * precision * recall / (precision + recall) if matched else 0.0
    if not by_words and len(answers) == len(codes):
        fit = max(fit, 0.5)
    return Answers(fit, {**matched, **missing} if len(matched) == len(answers) else {})


def _whole_number(missing: Mapping[Value, int], answers: Mapping[Value, str], shape: ColumnShape) -> Answers:
    """Numbers stand as values, or as the one number of each value label ("13 years old")."""
    if not answers:
        return Answers(0.8 if not shape.text and shape.distinct <= _MOST_YEARS else 0.2)
    numbers = {value: _NUMBER.findall(label) for value, label in answers.items()}
    if any(len(found) != 1 for found in numbers.values()):
        return Answers(0.0)
    return Answers(0.9, {**{value: int(found[0]) for value, found in numbers.items()}, **missing})
