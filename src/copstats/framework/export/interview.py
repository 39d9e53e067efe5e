"""The course of an interview: agreement, questions by module, privacy checks, closing page, and the record.

A question ``q_NAME`` takes the answer; the variable ``NAME`` is calculated from it with the missing codes of
the framework, so that an exported file needs no crosswalk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from copstats.framework.definitions import Module, RecordKind
from copstats.framework.export.asking import Asking
from copstats.framework.export.form_rows import (
    STOP,
    Form,
    Phrase,
    Row,
    calculate,
    chosen,
    group,
    note,
    reference,
)
from copstats.framework.export.questionnaire import Page, Place, Questionnaire, place_of
from copstats.framework.export.selection import select
from copstats.framework.export.xpath import TRUE, all_of, any_of, nots, quoted
from copstats.framework.model import Framework


def interview(
    framework: Framework, questionnaire: Questionnaire, record: RecordKind, modules: Sequence[str]
) -> Form:
    """Return the form for children or for parents.

    Args:
        framework: gives variables, codes, universes and rules.
        questionnaire: gives the texts.
        record: whom it asks.
        modules: see `copstats.framework.export.selection.select`; the modules without which there is no
            interview are added.

    Raises:
        UsageError: U141, no such module.
    """
    return _Interview(framework, questionnaire, record, modules).form()


class _Interview:
    def __init__(
        self, framework: Framework, questionnaire: Questionnaire, record: RecordKind, modules: Sequence[str]
    ) -> None:
        self.framework = framework
        self.texts = questionnaire
        self.own = questionnaire.form(record)
        self.ask = Asking(framework, questionnaire, record)
        items = select(framework, [*modules, *self.own.always]).of(record)
        self.variables = {item.name: item.variable for item in items}
        self.modules = [
            module
            for module in framework.modules.values()
            if module.record == record and self._at("module", module)
        ]

    def form(self) -> Form:
        opening = self._opening()
        reached = "taking_part"
        rows: list[Row] = []
        for module in self.modules:
            rows += self._module(module, reached)
            reached = f"after_{module.module}"
        rows = [*opening, *rows, self._result(), *self._closing(), *self._record()]
        fill_in = self._fill_in(rows)
        return Form(Phrase(self.own.title), [*self._setup(fill_in), *rows], self.ask.lists, fill_in)

    def _at(self, place: Place, module: Module | None = None) -> list[str]:
        """Return the variables that stand at a place of the form, in questionnaire order."""
        return [
            name
            for name, variable in self.variables.items()
            if place_of(variable, self.own.questions.get(name)) == place
            and (module is None or name in module.variables)
        ]

    def _reached(self, module: Module) -> str:
        """Return XPath, whether the interview got to a module."""
        position = self.modules.index(module)
        before = f"after_{self.modules[position - 1].module}" if position else "taking_part"
        return f"{reference(before)} = 1"

    # Before the questions

    def _setup(self, fill_in: Sequence[str]) -> list[Row]:
        entries = {f"set_{name}": self.texts.fill_in[name] for name in fill_in}
        ready = all_of(*(f"regex({reference(name)}, {quoted(e.pattern)})" for name, e in entries.items()))
        return [
            note("draft", self.texts.draft.text),
            *(calculate(name, quoted(entry.value)) for name, entry in entries.items()),
            calculate("ready", f"if({ready}, 1, 0)"),
            note("not_ready", self.texts.not_ready.text, f"{reference('ready')} = 0"),
        ]

    def _opening(self) -> list[Row]:
        """Nobody is asked before the country has filled in the form and all who must agree have agreed."""
        at_start = self._at("start")
        agreed = {name: f"{reference(f'q_{name}')} >= 1" for name in self.own.agreement}
        invited = all_of(f"{reference('ready')} = 1", *(agreed[n] for n in agreed if n in at_start))
        return [
            *self._page("start", self.own.start, f"{reference('ready')} = 1"),
            calculate("invited", f"if({invited}, 1, 0)"),
            *self._page("introduction", self.own.introduction, f"{reference('invited')} = 1"),
            calculate("taking_part", f"if({all_of(reference('invited') + ' = 1', *agreed.values())}, 1, 0)"),
        ]

    def _page(self, place: Place, page: Page, relevant: str) -> list[Row]:
        names = [*self._at(place), *(n for n, q in self.own.own_questions.items() if q.place == place)]
        rows = [*_notes(place, page), *(row for name in names for row in self.ask.to_interviewer(name))]
        return group(place, page.title, relevant, rows) if rows else []

    # Modules

    def _module(self, module: Module, reached: str) -> list[Row]:
        names = self._at("module", module)
        private = _private(self.framework, module, names)
        section = self.own.sections.get(module.module)
        rows = []
        if section and section.note:
            rows.append(note(f"about_{module.module}", section.note, self._where_any_asked(names)))
        stops: list[str] = []
        rows += self._questions([name for name in names if name not in private], stops)
        if private:
            rows += self._private_questions(module.module, private, stops)
        goes_on = all_of(f"{reference(reached)} = 1", *(nots(chosen(stop, STOP)) for stop in stops))
        return [
            *group(
                module.module, section.title if section else module.title, f"{reference(reached)} = 1", rows
            ),
            calculate(f"after_{module.module}", f"if({goes_on}, 1, 0)"),
        ]

    def _questions(self, names: Sequence[str], stops: list[str], before: Sequence[str] = ()) -> list[Row]:
        """Return questions to a respondent, and add to ``stops`` those that can end the interview."""
        rows = []
        for name in names:
            own = self.ask.filter
            if own and f"q_{own}" not in stops and self.variables[name].skipped_elsewhere:
                rows += self.ask.to_respondent(own, stops)
                stops.append(f"q_{own}")
            rows += self.ask.to_respondent(name, [stop for stop in stops if stop not in before])
            if self.ask.can_stop(name):
                stops.append(f"q_{name}")
        return rows

    def _private_questions(self, module: str, names: Sequence[str], stops: list[str]) -> list[Row]:
        """Return questions of tier B behind a privacy check, for the framework's ages or older."""
        check = self.texts.privacy_check
        question, earlier = f"alone_{module}", list(stops)
        old_enough = (
            f"{reference('q_age')} >= {self.framework.head.ages.minimum}" if "age" in self.variables else TRUE
        )
        answers = {"alone": check.alone, "seen": check.seen, "unsure": check.unsure, STOP: self.texts.stop}
        self.ask.lists["privacy_check"] = {code: Phrase(answer.label) for code, answer in answers.items()}
        asked = Row(
            type="select_one privacy_check",
            name=question,
            label=Phrase(check.text),
            hint=Phrase(check.hint),
            required=True,
            relevant=all_of(
                *(nots(chosen(stop, STOP)) for stop in earlier), old_enough, self._where_any_asked(names)
            ),
        )
        stops.append(question)
        return [
            asked,
            *group(
                f"private_{module}",
                None,
                chosen(question, "alone"),
                self._questions(names, stops, before=tuple(stops)),
            ),
            note(f"skipped_{module}", check.skipped.text, _overheard(module)),
        ]

    def _where_any_asked(self, names: Sequence[str]) -> str:
        """Return XPath, whether one of the questions will be put; follow-ups add nothing."""
        universes = self.ask.xpath.universes
        first = [n for n in names if n not in universes or not universes[n].variables & set(names)]
        return any_of(*(self.ask.where_asked(name) for name in first))

    # After the questions

    def _result(self) -> Row:
        """Judge how far the interview got: 1 complete, 2 all questions on risks, 3 not even those."""
        risks: list[str] = []
        others: list[str] = []
        for module in self.modules:
            section = self.own.sections.get(module.module)
            conditions = [f"{reference(f'after_{module.module}')} = 1"]
            if _private(self.framework, module, self._at("module", module)):
                conditions.append(nots(_overheard(module.module)))
            (risks if section and section.risk else others).extend(conditions)
        complete = all_of(*risks, *others)
        return calculate("interview_result", f"if({complete}, 1, if({all_of(*risks)}, 2, 3))")

    def _closing(self) -> list[Row]:
        rows = _notes("closing", self.own.closing)
        return [
            *group("closing", self.own.closing.title, f"{reference('invited')} = 1", rows),
            *self._page("end", self.own.end, f"{reference('taking_part')} = 1"),
        ]

    def _record(self) -> list[Row]:
        """Calculate the variables outside groups, so that columns of an exported file bear their names."""
        rows = []
        for name, variable in self.variables.items():
            place = place_of(variable, self.own.questions.get(name))
            if place != "after_fieldwork":
                rows.append(calculate(name, self._value(name, place), f"{reference('taking_part')} = 1"))
            elif not variable.series:
                rows.append(Row(type="hidden", name=name))
        return rows

    def _value(self, name: str, place: Place) -> str:
        if place == "computed":
            return self.own.questions[name].calculation or quoted("")
        if place == "module":
            module = next(module for module in self.modules if name in module.variables)
            return self.ask.value(name, self._reached(module))
        return reference(f"q_{name}")

    def _fill_in(self, rows: Iterable[Row]) -> list[str]:
        phrases = [phrase.msgid for row in rows for phrase in (row.label, row.hint) if phrase]
        written = " ".join([*phrases, *(f"{row.relevant} {row.calculation}" for row in rows)])
        return [
            name
            for name, entry in self.texts.fill_in.items()
            if entry.always or f"{{{name}}}" in written or reference(f"set_{name}") in written
        ]


def _notes(name: str, page: Page) -> list[Row]:
    return [note(f"{name}_{number}", text.text) for number, text in enumerate(page.notes, start=1)]


def _overheard(module: str) -> str:
    return any_of(*(chosen(f"alone_{module}", answer) for answer in ("seen", "unsure")))


def _private(framework: Framework, module: Module, names: Iterable[str]) -> list[str]:
    """Return the variables of tier B, and those that only their answers lead to."""
    private: list[str] = []
    for name in names:
        universe = framework.universes.get((module.record, name))
        if module.variables[name].tier == "B" or (universe and universe.variables & set(private)):
            private.append(name)
    return private
