"""What a codebook says, in the reader's language and in no format yet."""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter

from copstats.framework.definitions import Rule, RuleClass
from copstats.framework.export.codebook_entries import (
    Codebook,
    CodeListEntry,
    IndicatorEntry,
    ModuleEntry,
    PredicateEntry,
    RuleEntry,
    VariableEntry,
)
from copstats.framework.export.selection import RECORDS, Item, Selection
from copstats.framework.export.words import (
    PRIVACY,
    RECORD,
    SENSITIVITY,
    SEVERITY,
    STATUS,
    TYPE,
    UNIT,
    Phrases,
    code_labels,
    heading,
    missing_labels,
    notices,
)
from copstats.framework.model import ParsedIndicator
from copstats.language import Translations


def codebook(selection: Selection, words: Translations) -> Codebook:
    """Return the codebook of part of a framework in a language."""
    return _Writer(selection, words).codebook()


class _Writer:
    def __init__(self, selection: Selection, words: Translations) -> None:
        self._selection = selection
        self._framework = selection.framework
        self._words = words
        self._phrases = {
            record: Phrases(self._framework, self._framework.variables(record), words)
            for record in (*RECORDS, "dyad")
        }

    def codebook(self) -> Codebook:
        book, words = self._framework.rules, self._words
        return Codebook(
            title=heading(self._framework, words),
            notices=notices(self._framework, words),
            modules=[self._module(items) for items in self._selection.modules.values()],
            codelists=[self._codelist(name) for name in self._selection.codelists],
            indicators=[self._indicator(i) for i in self._selection.indicators.values()],
            classes=[self._rule(rule_id, rule) for rule_id, rule in book.classes.items()],
            rules=[self._rule(rule_id, rule) for rule_id, rule in self._selection.rules.items()],
            missing={
                code: (words.text(entry.label), words.text(entry.definition))
                for code, entry in self._framework.head.missing.items()
            },
        )

    def _module(self, items: Sequence[Item]) -> ModuleEntry:
        module = items[0].module
        return ModuleEntry(
            name=module.module,
            title=self._words.text(module.title),
            record=self._words.text(RECORD[module.record]),
            always=module.always,
            variables=[self._variable(item) for item in items],
        )

    def _variable(self, item: Item) -> VariableEntry:
        variable, words = item.variable, self._words
        return VariableEntry(
            key=f"{item.record}-{item.name}",
            record=words.text(RECORD[item.record]),
            name=item.name,
            label=words.text(variable.label),
            definition=self._text(variable.definition),
            type=words.text(TYPE[variable.type]),
            series=variable.series,
            codelist=variable.codelist or "",
            codes=code_labels(self._framework, variable, words),
            missing=missing_labels(self._framework, self._selection.missing_codes(item), words),
            limits=self._limits(item),
            pattern=variable.pattern or "",
            universe=self._phrases[item.record].universe(item.universe),
            predicate=variable.universe or "",
            recall=self._text(variable.recall),
            minimum_age=variable.minimum_age,
            status=words.text(STATUS[variable.status]),
            sensitivity=words.text(SENSITIVITY[variable.sensitivity]),
            tier=variable.tier,
            privacy=words.text(PRIVACY[variable.privacy]),
            source=variable.source,
            indicators=self._selection.indicators_of(item),
        )

    def _text(self, msgid: str | None) -> str:
        return self._words.text(msgid) if msgid else ""

    def _limits(self, item: Item) -> str:
        low, high, words = item.variable.minimum, item.variable.maximum, self._words
        if low is not None and high is not None:
            return words.text("{low} to {high}", low=f"{low:g}", high=f"{high:g}")
        if low is not None:
            return words.text("{value} or more", value=f"{low:g}")
        if high is not None:
            return words.text("{value} or less", value=f"{high:g}")
        return ""

    def _codelist(self, name: str) -> CodeListEntry:
        codelist = self._framework.codelists[name]
        return CodeListEntry(
            name=name,
            title=self._words.text(codelist.title),
            codes={code: self._words.text(entry.label, name) for code, entry in codelist.codes.items()},
            variables=[f"{i.record}-{i.name}" for i in self._selection.items if i.variable.codelist == name],
        )

    def _indicator(self, indicator: ParsedIndicator) -> IndicatorEntry:
        definition, words = indicator.definition, self._words
        phrases = self._phrases[definition.record]
        numerator, combine = None, ""
        if indicator.numerator is not None:
            said = phrases.predicate(indicator.numerator)
            numerator = PredicateEntry(said, definition.numerator or "")
        elif definition.combine == "any":
            combine = words.text("At least one of these indicators:")
        else:
            combine = words.text("All of these indicators:")
        denominator = None
        if not indicator.denominator.always:
            said = phrases.predicate(indicator.denominator)
            denominator = PredicateEntry(said, definition.denominator)
        universe = "" if indicator.universe.always else definition.universe
        return IndicatorEntry(
            code=definition.code,
            title=words.text(definition.title),
            unit=words.text(UNIT[definition.unit]),
            record=words.text(RECORD[definition.record]),
            universe=PredicateEntry(phrases.universe(indicator.universe), universe),
            denominator=denominator,
            numerator=numerator,
            combine=combine,
            members=definition.members,
            ages=words.text("{low} to {high}", low=definition.ages.minimum, high=definition.ages.maximum),
            recall=words.text(definition.recall),
            tier=definition.tier,
            note=self._text(definition.note),
            reference=definition.reference,
            variables=[
                f"{i.record}-{i.name}"
                for i in self._selection.items
                if definition.code in self._selection.indicators_of(i)
            ],
        )

    def _rule(self, rule_id: str, rule: Rule | RuleClass) -> RuleEntry:
        """Return a rule; its message has a placeholder in sight for what only data can tell."""
        words, message = self._words, rule.message
        texts = (message.what, message.why, message.fix)
        named = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
        params = {name: f"{{{name}}}" for name in sorted(named)}
        record = predicate = ""
        if isinstance(rule, Rule):
            record, predicate = words.text(RECORD[rule.record]), rule.violation
            label = self._framework.variables(rule.record)[rule.variable].label
            params |= {"variable": rule.variable, "label": words.text(label)}
        return RuleEntry(
            id=rule_id,
            record=record,
            level=rule.level,
            severity=words.text(SEVERITY[rule.severity]),
            predicate=predicate,
            what=words.text(message.what, **params),
            why=words.text(message.why, **params),
            fix=words.text(message.fix, **params),
        )
