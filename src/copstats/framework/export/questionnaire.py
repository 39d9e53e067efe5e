"""The questionnaire of a framework version: question texts and what a form needs beside the variables.

``schemas/*/questionnaire.yaml`` holds no name, code, filter or range of its own: those are the framework's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import field

from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition, RecordKind, Variable
from copstats.framework.located import Located
from copstats.framework.model import Framework
from copstats.framework.typed import typed
from copstats.project import project_root

FILE = "questionnaire.yaml"

Place = Literal["start", "introduction", "module", "end", "computed", "after_fieldwork"]


class Text(Definition, frozen=True, kw_only=True):
    """A text that is shown."""

    text: str


class Answer(Definition, frozen=True, kw_only=True):
    """An answer to choose."""

    label: str


class FillIn(Definition, frozen=True, kw_only=True):
    """Something that only the country can say; no interview starts before it does."""

    value: str
    pattern: str
    """Regular expression that the value to be replaced does not match."""
    text: str
    always: bool = False
    """Asked for although no text or calculation of the form uses it."""


class Question(Definition, frozen=True, kw_only=True):
    """How a variable is asked."""

    text: str | None = None
    """Absent for what an interviewer copies: the label of the variable serves."""
    hint: str | None = None
    place: Place | None = None
    """Absent: keys and strata at the start, numbers of the design after fieldwork, others in the module."""
    calculation: str | None = None
    """XPath, for the place ``computed``."""
    answers: dict[int, Answer] = field(default_factory=dict)
    """Labels for respondents, in the order shown; absent codes are not offered."""
    other_answers: dict[int, Answer] = field(default_factory=dict)
    """Answers that no delivered record has."""
    count_of: list[Answer] = field(default_factory=list)
    """Things of which the variable counts how many apply."""
    codelist: str | None = None
    """Only for questions that are no variables."""
    filters: Literal["skipped_elsewhere"] | None = None
    """Only for questions that are no variables: which variables a "no" skips."""


class Page(Definition, frozen=True, kw_only=True):
    """A group of notes before or after the questions."""

    title: str
    notes: list[Text] = field(default_factory=list)


class Section(Definition, frozen=True, kw_only=True):
    """How a module is headed in the form."""

    title: str
    note: str | None = None
    risk: bool = False
    """Whether the result of the interview depends on it."""


class PrivacyCheck(Definition, frozen=True, kw_only=True):
    """What is asked before questions of tier B."""

    text: str
    hint: str
    alone: Answer
    seen: Answer
    unsure: Answer
    skipped: Text


class Messages(Definition, frozen=True, kw_only=True):
    """What is shown where an answer is not accepted."""

    range: Text
    pattern: Text
    one_answer: Text


class Form(Definition, frozen=True, kw_only=True):
    """The questions to one kind of respondent."""

    title: str
    always: list[str]
    """Modules without which there is no interview."""
    agreement: list[str]
    """Questions of which each needs an answer of 1 or more for the interview to go on."""
    start: Page
    introduction: Page
    closing: Page
    end: Page
    sections: dict[str, Section]
    questions: dict[str, Question]
    own_questions: dict[str, Question] = field(default_factory=dict)
    """Questions that are no variables."""
    checks: dict[str, Text] = field(default_factory=dict)
    """Rule -> what is shown where an answer breaks it; other rules are for the file alone."""


class Questionnaire(Definition, frozen=True, kw_only=True):
    """``questionnaire.yaml``."""

    draft: Text
    title_mark: Text
    fill_in: dict[str, FillIn]
    not_ready: Text
    read_me: list[Text]
    answers: dict[int, Answer]
    stop: Answer
    none_of_these: Answer
    privacy_check: PrivacyCheck
    messages: Messages
    answer_lists: dict[str, dict[int, Answer]]
    child: Form
    parent: Form

    def form(self, record: RecordKind) -> Form:
        """Return the questions to children or to parents."""
        return self.child if record == "child" else self.parent


def place_of(variable: Variable, question: Question | None) -> Place:
    """Return where in the form a variable stands."""
    if question is not None and question.place is not None:
        return question.place
    if variable.role in ("identifier", "design"):
        return "start" if variable.type == "string" else "after_fieldwork"
    return "module"


@cache
def load_questionnaire(framework_id: str, root: Path | None = None) -> tuple[Questionnaire, Located]:
    """Read the questionnaire of a framework version, and the lines on which its entries stand.

    Args:
        framework_id: folder name under ``schemas/``.
        root: folder that holds ``schemas/``; the project's own by default.

    Raises:
        DefinitionError: there is none (D016), or it does not have the form that it should (D001 to D003).
    """
    path = (root or project_root()) / "schemas" / framework_id / FILE
    if not path.is_file():
        raise DefinitionError("D016", where=f"{framework_id}/{FILE}")
    located = Located(path)
    return typed(located, Questionnaire), located


def questionnaire_of(framework: Framework, root: Path | None = None) -> Questionnaire:
    """Return the questionnaire of a framework, checked against it.

    Raises:
        DefinitionError: it cannot be read (D001 to D003, D016), names a variable (D050) or a code, list,
            module or rule (D052) that the framework does not have, or lacks the text of a question (D051).
    """
    questionnaire, located = load_questionnaire(framework.id, root)
    for record in ("child", "parent"):
        form = questionnaire.form(record)
        variables = framework.variables(record)
        for name in form.questions.keys() - variables.keys():
            where = located.where(record, "questions", name)
            raise DefinitionError("D050", where=where, variable=name, record=record)
        for name, variable in variables.items():
            question = form.questions.get(name)
            if place_of(variable, question) == "module" and (question is None or question.text is None):
                where = located.where(record, "questions", name)
                raise DefinitionError("D051", where=where, variable=name)
        for at in _unknown(framework, form, record):
            raise DefinitionError("D052", where=located.where(record, *at), key=str(at[-1]))
    for at in _unknown_answers(framework, questionnaire):
        raise DefinitionError("D052", where=located.where(*at), key=str(at[-1]))
    return questionnaire


def _unknown(framework: Framework, form: Form, record: RecordKind) -> Iterator[tuple[str | int, ...]]:
    modules = {name for name, module in framework.modules.items() if module.record == record}
    yield from (("sections", name) for name in form.sections.keys() - modules)
    yield from (("always", number) for number, name in enumerate(form.always) if name not in modules)
    rules = {name for name, rule in framework.rules.rules.items() if rule.record == record}
    yield from (("checks", name) for name in form.checks.keys() - rules)
    for name, own in form.own_questions.items():
        if own.codelist not in framework.codelists:
            yield ("own_questions", name, "codelist")
    known = framework.variables(record).keys() | form.own_questions.keys()
    yield from (("agreement", number) for number, name in enumerate(form.agreement) if name not in known)
    for name, question in form.questions.items():
        codes = framework.codes(framework.variables(record)[name])
        yield from (("questions", name, "answers", code) for code in question.answers.keys() - codes.keys())


def _unknown_answers(framework: Framework, questionnaire: Questionnaire) -> Iterator[tuple[str | int, ...]]:
    for name, answers in questionnaire.answer_lists.items():
        known: Mapping[int, object] = framework.codelists[name].codes if name in framework.codelists else {}
        if answers.keys() != known.keys():
            yield ("answer_lists", name)
    if not questionnaire.answers.keys() <= framework.head.missing.keys():
        yield ("answers",)
