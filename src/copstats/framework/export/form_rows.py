"""The rows of an XLSForm, before their texts are translated."""

from __future__ import annotations

from dataclasses import dataclass

from copstats.framework.export.xpath import TRUE, quoted

STOP = "stop"
"""Choice of a respondent who ends the interview at this question."""


@dataclass(frozen=True)
class Phrase:
    """An English text to be translated.

    Attributes:
        msgid: the text.
        context: its code list, where it is the label of a code.
        params: values of its placeholders; others are entries of ``fill_in``.
    """

    msgid: str
    context: str | None = None
    params: tuple[tuple[str, Phrase | float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the sheet ``survey``; the attributes are its columns."""

    type: str
    name: str = ""
    label: Phrase | None = None
    hint: Phrase | None = None
    required: bool = False
    relevant: str = TRUE
    constraint: str = TRUE
    message: Phrase | None = None
    calculation: str = ""


@dataclass(frozen=True)
class Form:
    """A form: rows of ``survey``, lists of ``choices`` (code -> label), and what the country fills in."""

    title: Phrase
    rows: list[Row]
    lists: dict[str, dict[str, Phrase]]
    fill_in: list[str]


def note(name: str, text: str, relevant: str = TRUE) -> Row:
    """Return a text to be read."""
    return Row(type="note", name=name, label=Phrase(text), relevant=relevant)


def calculate(name: str, calculation: str, relevant: str = TRUE) -> Row:
    """Return a value that is calculated and not shown."""
    return Row(type="calculate", name=name, calculation=calculation, relevant=relevant)


def group(name: str, title: str | None, relevant: str, rows: list[Row]) -> list[Row]:
    """Return rows as a group."""
    label = Phrase(title) if title else None
    return [Row(type="begin_group", name=name, label=label, relevant=relevant), *rows, Row(type="end_group")]


def reference(name: str) -> str:
    """Return how an expression of an XLSForm names a question or calculation."""
    return f"${{{name}}}"


def chosen(name: str, value: str) -> str:
    """Return XPath for a choice; never true of a question that was not shown."""
    return f"{reference(name)} = {quoted(value)}"
