"""The questionnaire as XLSForm, which ODK, KoboToolbox and SurveyCTO read, for children and for parents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from copstats.framework.definitions import RecordKind
from copstats.framework.export.form_rows import Form, Phrase, Row
from copstats.framework.export.interview import interview
from copstats.framework.export.output import write_forms
from copstats.framework.export.questionnaire import Questionnaire, questionnaire_of
from copstats.framework.export.selection import RECORDS, select
from copstats.framework.export.workbook import content, new_sheet, new_workbook, put, write_header
from copstats.framework.export.xpath import TRUE
from copstats.framework.model import Framework
from copstats.language import LANGUAGES, Translations, translations

MISSING_MARK = "[en]"
"""Stands before an English text that has no translation."""

_SOURCE = "en"
_A_WORD = re.compile(r"[A-Za-z]{2,}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ISOLATED = "\u2068{}\u2069"
_LEFT_TO_RIGHT_MARK, _RIGHT_TO_LEFT_MARK = "\u200e", "\u200f"
_PLAIN = ("type", "name", "required", "relevant", "constraint", "calculation")
_TRANSLATED = {"label": "label", "hint": "hint", "message": "constraint_message"}
_NARROWEST, _WIDEST = 10, 60
_GROUP_FILL = PatternFill("solid", start_color="DDEBF7")


def write_xlsform(
    framework: Framework, target: Path, *, language: str = _SOURCE, modules: Sequence[str] | None = None
) -> list[Path]:
    """Write the questionnaire as XLSForm: a draft for cognitive tests and an ethics review.

    A form holds English and, if another language is asked for, that language, in which it opens. It lets
    nobody start an interview before the country has filled in what only it knows: its helpline, for one.

    Args:
        framework: the framework version.
        target: a folder: ``child-xlsform.xlsx`` and ``parent-xlsform.xlsx``, each where a module of its
            respondents is chosen.
        language: BCP 47; an English text without translation is marked ``[en]``.
        modules: see `copstats.framework.export.selection.select`; None for all.

    Returns:
        The files written.

    Raises:
        UsageError: U141, no such module; U120, no such language; U142, a form is there that somebody may have
            filled in; U143, the path is a file.
        DefinitionError: the questionnaire does not fit the framework (D050 to D052) or cannot be read (D001
            to D003, D016); a catalogue is wrong (D020 to D022).
    """
    words = translations(language, framework.id)
    chosen = list(framework.modules) if modules is None else list(modules)
    select(framework, chosen)
    questionnaire = questionnaire_of(framework)
    forms = {}
    for record in RECORDS:
        if any(framework.modules[name].record == record for name in chosen):
            form = interview(framework, questionnaire, record, chosen)
            forms[f"{record}-xlsform.xlsx"] = _Writer(framework, questionnaire, record, words).workbook(form)
    return write_forms(target, forms)


class _Writer:
    """Turns the rows of a form into the rows of its sheets, with a column of each text for each language."""

    def __init__(
        self, framework: Framework, questionnaire: Questionnaire, record: RecordKind, words: Translations
    ) -> None:
        self.framework = framework
        self.questionnaire = questionnaire
        self.record = record
        self.words = words
        self.languages = {_name(_SOURCE): translations(_SOURCE, framework.id), _name(words.language): words}

    def workbook(self, form: Form) -> bytes:
        """Return the bytes of the workbook."""
        book = new_workbook(self._title(form, self.words))
        english = self.languages[_name(_SOURCE)]
        for title, rows in (("survey", self.survey), ("choices", self.choices), ("settings", self.settings)):
            _write(new_sheet(book, title, english), rows(form))
        _write(new_sheet(book, "read_me", self.words), self.read_me(form))
        book["survey"].freeze_panes = "C2"
        return content(book)

    def survey(self, form: Form) -> Iterator[list[str]]:
        columns = [f"{name}::{language}" for name in _TRANSLATED.values() for language in self.languages]
        yield [*_PLAIN, *columns]
        for row in form.rows:
            texts = [
                self._phrase(getattr(row, name), words) + self._notice(row, name, words)
                for name in _TRANSLATED
                for words in self.languages.values()
            ]
            yield [*_cells(row), *texts]

    def choices(self, form: Form) -> Iterator[list[str]]:
        yield ["list_name", "name", *(f"label::{language}" for language in self.languages)]
        for title, choices in form.lists.items():
            for code, phrase in choices.items():
                yield [title, code, *(self._phrase(phrase, words) for words in self.languages.values())]

    def settings(self, form: Form) -> Iterator[list[str]]:
        words = self.words
        settings = {
            "form_title": self._title(form, words),
            "form_id": f"{self.framework.id}-{self.record}",
            "version": self.framework.head.version,
            "default_language": _name(words.language),
            "style": "pages",
            "notice": self._phrase(Phrase(self.questionnaire.draft.text), words),
        }
        yield list(settings)
        yield list(settings.values())

    def read_me(self, form: Form) -> Iterator[list[str]]:
        yield ["name", *self.languages]
        for text in (self.questionnaire.draft, *self.questionnaire.read_me):
            yield ["", *(self._phrase(Phrase(text.text), words) for words in self.languages.values())]
        for name in form.fill_in:
            phrase = Phrase(self.questionnaire.fill_in[name].text)
            yield [f"set_{name}", *(self._phrase(phrase, words) for words in self.languages.values())]

    def _title(self, form: Form, words: Translations) -> str:
        return self._phrase(
            Phrase(self.questionnaire.title_mark.text, params=(("title", form.title),)), words
        )

    def _notice(self, row: Row, column: str, words: Translations) -> str:
        return f"\n\n{words.notice}" if (row.name, column) == ("draft", "label") and words.notice else ""

    def _phrase(self, phrase: Phrase | None, words: Translations) -> str:
        if phrase is None:
            return ""
        parts = [phrase, *(value for _, value in phrase.params if isinstance(value, Phrase))]
        params = {
            name: words.text(value.msgid) if isinstance(value, Phrase) else f"{value:g}"
            for name, value in phrase.params
        }
        text = words.text(phrase.msgid, phrase.context, **params)
        mark = _RIGHT_TO_LEFT_MARK
        if _A_WORD.search(text) and not all(_has(words, part) for part in parts):
            text, mark = f"{MISSING_MARK} {text}", _LEFT_TO_RIGHT_MARK
        text = _PLACEHOLDER.sub(lambda found: _filled(found[1], words), text)
        # Some form readers set the page from left to right: full stops stay at the end of a sentence.
        return f"{mark}{text}{mark}" if words.direction == "rtl" else text


def _has(words: Translations, phrase: Phrase) -> bool:
    """Whether a text has a translation; an English one needs none."""
    keys = {(phrase.context, phrase.msgid), (None, phrase.msgid)}
    return words.language == _SOURCE or any(keys & catalogue.texts.keys() for catalogue in words.catalogues)


def _filled(name: str, words: Translations) -> str:
    """Return how a label shows what the country filled in, kept together in right-to-left text."""
    shown = f"${{set_{name}}}"
    return _ISOLATED.format(shown) if words.direction == "rtl" else shown


def _name(language: str) -> str:
    """Name a language as XLSForm does: its own name and its code."""
    own = LANGUAGES[language]
    return f"{own[:1].upper()}{own[1:]} ({language})"


def _cells(row: Row) -> list[str]:
    conditions = ["" if value == TRUE else value for value in (row.relevant, row.constraint)]
    return [row.type, row.name, "yes" if row.required else "", *conditions, row.calculation]


def _write(sheet: Worksheet, rows: Iterator[list[str]]) -> None:
    titles = next(rows)
    write_header(sheet, titles)
    widths = [_NARROWEST, *(len(title) for title in titles[1:])]
    for number, cells in enumerate(rows, start=2):
        for column, value in enumerate(cells, start=1):
            if value:
                put(sheet, number, column, value).alignment = Alignment(vertical="top", wrap_text=True)
                widths[column - 1] = max(widths[column - 1], len(value))
            if cells[0] == "begin_group":
                sheet.cell(number, column).fill = _GROUP_FILL
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = min(max(width, _NARROWEST), _WIDEST)
