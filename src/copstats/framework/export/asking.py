"""How a variable is asked: type and answers, filter and constraint, and its value in the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from copstats.framework.definitions import RecordKind, Rule, Variable
from copstats.framework.export.form_rows import STOP, Phrase, Row, chosen, note, reference
from copstats.framework.export.questionnaire import Answer, Question, Questionnaire
from copstats.framework.export.xpath import FALSE, TRUE, XPath, all_of, any_of, nots, quoted
from copstats.framework.expressions import DOES_NOT_KNOW, NOT_APPLICABLE, REFUSED
from copstats.framework.model import Framework

_LONGEST_LIST = 20
"""Numbers of a range up to here are chosen from a list, which can hold missing codes too."""
_NONE = "0"


@dataclass
class Asking:
    """Makes the rows of questions, and remembers what was asked so far.

    Attributes:
        framework: gives variables, codes, universes and rules.
        texts: the questionnaire.
        record: whom the form asks.
        lists: choices of the rows made so far: list -> code -> label.
        asked: variables of the rows made so far.
    """

    framework: Framework
    texts: Questionnaire
    record: RecordKind
    lists: dict[str, dict[str, Phrase]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.form = self.texts.form(self.record)
        self.variables = self.framework.variables(self.record)
        self.xpath = XPath(self._answer, self.framework.universes_of(self.record), reference("set_age_floor"))
        self.filter = next((n for n, q in self.form.own_questions.items() if q.filters), None)

    def question(self, name: str) -> Question:
        """Return the texts of a variable or of a question that is no variable."""
        return self.form.questions.get(name) or self.form.own_questions.get(name) or Question()

    def where_asked(self, name: str) -> str:
        """Return XPath of the universe."""
        if name in self.xpath.universes:
            return self.xpath.where_true(self.xpath.universes[name])
        return nots(self._filtered(name))

    def to_respondent(self, name: str, stops: Sequence[str]) -> list[Row]:
        """Return the rows of a question that may be left unanswered.

        Args:
            name: a variable, or a question that is no variable.
            stops: earlier questions of the group at which the respondent may have ended the interview.
        """
        relevant = all_of(self.where_asked(name), *(nots(chosen(stop, STOP)) for stop in stops))
        return self._rows(name, self._type(name), required=True, relevant=relevant)

    def to_interviewer(self, name: str) -> list[Row]:
        """Return the rows of a field or question that takes no missing code."""
        variable = self.variables.get(name)
        codelist = self._codelist(name)
        kind = f"select_one {self._list(codelist, name)}" if codelist else "text"
        return self._rows(name, kind, required=variable is None or variable.status != "optional")

    def can_stop(self, name: str) -> bool:
        """Whether the choices of a question to respondents hold the one that ends the interview."""
        return not self._is_number(name)

    def value(self, name: str, reached: str) -> str:
        """Return XPath of a variable's value in the record, missing codes included.

        A question that belongs to the respondent and was not put, because the interview ended before it or
        because somebody could hear, is refused: -1 is for what a survey asks nobody.

        Args:
            name: a variable that was put to the respondent.
            reached: XPath, whether the interview got to the question's module.
        """
        question = f"q_{name}"
        universe = self.xpath.universes.get(name)
        denied = self.xpath.where_false(universe) if universe else self._filtered(name)
        skipped = any_of(denied, all_of(nots(self.where_asked(name)), reached))
        missing = f"'{REFUSED}'"
        if skipped != FALSE:
            missing = f"if({skipped}, '{NOT_APPLICABLE}', {missing})"
        answered, answer = f"{reference(question)} >= {REFUSED}", reference(question)
        if self.question(name).count_of:
            answered = f"count-selected({answer}) >= 1"
            answer = self._count(question)
        stopped = f"if({chosen(question, STOP)}, '{REFUSED}', " if self.can_stop(name) else "("
        return f"{stopped}if({answered}, {answer}, {missing}))"

    def _count(self, question: str) -> str:
        codes = [DOES_NOT_KNOW, REFUSED, _NONE]
        alone = any_of(*(chosen(question, str(code)) for code in codes))
        return f"if({alone}, {reference(question)}, count-selected({reference(question)}))"

    def _answer(self, name: str) -> str:
        """Return where an answer stands: a count is known in the record only."""
        return reference(name if self.question(name).count_of else f"q_{name}")

    def _filtered(self, name: str) -> str:
        """Return XPath, whether the form's own filter skips a variable whose filter is in another file."""
        variable = self.variables.get(name)
        if self.filter is None or variable is None or not variable.skipped_elsewhere:
            return FALSE
        return f"{reference(f'q_{self.filter}')} = 0"

    def _rows(self, name: str, kind: str, *, required: bool, relevant: str = TRUE) -> list[Row]:
        question, variable = self.question(name), self.variables.get(name)
        constraint, message = self._constraint(name, kind, variable)
        label = question.text or (variable.label if variable else name)
        row = Row(
            type=kind,
            name=f"q_{name}",
            label=Phrase(label),
            hint=Phrase(question.hint) if question.hint else None,
            required=required,
            relevant=relevant,
            constraint=constraint,
            message=message,
        )
        checks = [
            note(f"check_{rule}", self.form.checks[rule].text, self._broken(rule))
            for rule, definition in self._completed(name).items()
            if definition.severity != "error"
        ]
        self.asked.add(name)
        return [row, *checks]

    # Types and choices

    def _is_number(self, name: str) -> bool:
        variable = self.variables.get(name)
        if variable is None or variable.type not in ("integer", "number"):
            return False
        if variable.status == "required" or variable.minimum is None or variable.maximum is None:
            return True
        return variable.maximum - variable.minimum > _LONGEST_LIST

    def _type(self, name: str) -> str:
        variable = self.variables.get(name)
        if self._is_number(name):
            return "integer"
        if self.question(name).count_of:
            return f"select_multiple {self._things(name)}"
        if codelist := self._codelist(name):
            return f"select_one {self._list(codelist, name, missing=True)}"
        assert variable is not None  # noqa: S101
        return f"select_one {self._numbers(variable)}"

    def _codelist(self, name: str) -> str | None:
        variable = self.variables.get(name)
        return variable.codelist if variable else self.question(name).codelist

    def _list(self, codelist: str, name: str, *, missing: bool = False) -> str:
        """Add the choices of a coded question, and return the name of their list."""
        question = self.question(name)
        special = question.answers or question.other_answers
        own: Mapping[int, Answer] = question.answers or self.texts.answer_lists.get(codelist, {})
        codes = self.framework.codelists[codelist].codes
        choices = {
            str(code): Phrase(own[code].label) if own else Phrase(codes[code].label, codelist)
            for code in own or codes
        }
        choices |= {str(code): Phrase(answer.label) for code, answer in question.other_answers.items()}
        title = "_".join([codelist, *([name] if special else []), *(["asked"] if missing else [])])
        self.lists[title] = choices | (self._missing() if missing else {})
        return title

    def _numbers(self, variable: Variable) -> str:
        low, high = int(variable.minimum or 0), int(variable.maximum or 0)
        title = f"from_{low}_to_{high}_asked"
        self.lists[title] = {str(n): Phrase(str(n)) for n in range(low, high + 1)} | self._missing()
        return title

    def _things(self, name: str) -> str:
        things = self.question(name).count_of
        choices = {str(number): Phrase(thing.label) for number, thing in enumerate(things, start=1)}
        self.lists[f"{name}_asked"] = (
            choices | {_NONE: Phrase(self.texts.none_of_these.label)} | self._missing()
        )
        return f"{name}_asked"

    def _missing(self) -> dict[str, Phrase]:
        answers = {str(code): Phrase(answer.label) for code, answer in self.texts.answers.items()}
        return answers | {STOP: Phrase(self.texts.stop.label)}

    # Constraints

    def _constraint(self, name: str, kind: str, variable: Variable | None) -> tuple[str, Phrase | None]:
        messages = self.texts.messages
        for rule, definition in self._completed(name).items():
            if definition.severity == "error":
                return nots(self._broken(rule, at=name)), Phrase(self.form.checks[rule].text)
        if kind.startswith("select_multiple"):
            alone = any_of(*(f"selected(., '{code}')" for code in (_NONE, *self._missing())))
            return any_of("count-selected(.) = 1", nots(alone)), Phrase(messages.one_answer.text)
        if variable is None or kind.startswith("select"):
            return TRUE, None
        if variable.pattern:
            return f"regex(., {quoted(variable.pattern)})", Phrase(messages.pattern.text)
        if variable.minimum is None or variable.maximum is None:
            return TRUE, None
        limits = (("minimum", variable.minimum), ("maximum", variable.maximum))
        return (
            f". >= {variable.minimum:g} and . <= {variable.maximum:g}",
            Phrase(messages.range.text, params=limits),
        )

    def _completed(self, name: str) -> dict[str, Rule]:
        """Return the rules that can be applied from this question on."""
        known = self.asked | {name}
        return {
            rule: self.framework.rules.rules[rule]
            for rule in self.form.checks
            if name in self.framework.violations[rule].variables <= known
        }

    def _broken(self, rule: str, *, at: str | None = None) -> str:
        xpath = self.xpath.inside(at) if at else self.xpath
        return xpath.where_true(self.framework.violations[rule])
