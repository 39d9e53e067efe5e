"""Compares the definitions of two versions of a framework, one kind after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from sqlglot import expressions as exp

from copstats.framework import consequences as means
from copstats.framework.change import Change, Consequence, Subject
from copstats.framework.code_comparison import code_lists, same_codes
from copstats.framework.definitions import RecordKind
from copstats.framework.expressions import Predicate
from copstats.framework.model import Framework, ParsedIndicator
from copstats.framework.versions import RECORDS, Changes

_OWN_SUBJECT: dict[str, Subject] = {"universe": "universe", "recall": "recall"}
_PREDICATES = ("universe", "denominator", "numerator")


def compare(old: Framework, new: Framework, declared: Changes) -> Iterator[Change]:
    """Yield every change once, in the order of the framework's files."""
    yield from _head(old, new)
    yield from _same_names("module", old.modules, new.modules, means.MODULE, means.BY_PARTS)
    for record in RECORDS:
        yield from _Variables(old, new, declared, record).changes()
    yield from code_lists(old, new, declared)
    yield from _rules(old, new, declared)
    yield from _indicators(old, new, declared)
    yield from _same_names(
        "administrative", old.administrative, new.administrative, means.ADMINISTRATIVE, means.PUBLISHED
    )
    yield from _same_names("policy", old.policy, new.policy, means.POLICY, means.PUBLISHED)


def _head(old: Framework, new: Framework) -> Iterator[Change]:
    one, other = old.head, new.head
    for part, consequence in means.HEAD.items():
        yield from _part("framework", part, consequence, None, (getattr(one, part), getattr(other, part)))
    for part, consequence in means.AGES.items():
        values = getattr(one.ages, part), getattr(other.ages, part)
        yield from _part("ages", part, consequence, None, values)
    before, after = ({str(code): entry for code, entry in head.missing.items()} for head in (one, other))
    yield from _same_names("missing code", before, after, means.MISSING_CODE, means.MISSING)
    yield from _same_names("dimension", one.dimensions, other.dimensions, means.DIMENSION, means.PUBLISHED)
    crossed, crossed_now = one.disaggregations, other.disaggregations
    yield from _coming_and_going("disaggregation", crossed, crossed_now, means.PUBLISHED)
    for name in crossed_now:
        if name in crossed:
            values = crossed[name], crossed_now[name]
            yield from _part("disaggregation", name, means.BREAK, None, values)


class _Variables:
    """Compares the variables of a record kind."""

    def __init__(self, old: Framework, new: Framework, declared: Changes, record: RecordKind) -> None:
        self._old, self._new, self._declared, self._record = old, new, declared, record
        self._before, self._after = old.variables(record), new.variables(record)
        self._renamed = declared.renamed(record)

    def changes(self) -> Iterator[Change]:
        removals = getattr(self._declared.removed, self._record)
        for name in self._before:
            if name not in self._after and name not in self._renamed.values():
                yield Change(
                    "variable",
                    "removed",
                    f"{self._record}.{name}",
                    means.BREAK_AND_RECODE,
                    note=removals[name].note if name in removals else None,
                    indicators=_users(self._old, self._record, name),
                )
        for name in self._after:
            yield from self._present(name)

    def _present(self, name: str) -> Iterator[Change]:
        full, earlier = f"{self._record}.{name}", self._renamed.get(name, name)
        if earlier not in self._before:
            users = _users(self._new, self._record, name)
            consequence = means.status(None, self._after[name].status)
            yield Change("variable", "added", full, consequence, indicators=users)
            return
        if name in self._renamed:
            note = getattr(self._declared, self._record)[name].note
            before = f"{self._record}.{earlier}"
            yield Change("variable", "renamed", full, means.RECODE, before=before, note=note)
        yield from self._meaning(earlier, name)
        yield from self._place(earlier, name)

    def _meaning(self, earlier: str, name: str) -> Iterator[Change]:
        users = {*_users(self._old, self._record, earlier), *_users(self._new, self._record, name)}
        before, after = self._before[earlier], self._after[name]
        for part, consequence in means.VARIABLE.items():
            if part == "universe" and self._same_universe(earlier, name):
                continue
            if part == "codelist" and same_codes(self._old, self._new, self._declared, before, after):
                continue
            values = getattr(before, part), getattr(after, part)
            touched = tuple(sorted(users)) if consequence.breaks else ()
            subject, asks = _OWN_SUBJECT.get(part, "variable"), _narrowed(part, values, consequence)
            yield from _part(subject, f"{self._record}.{name}", asks, part, values, indicators=touched)

    def _place(self, earlier: str, name: str) -> Iterator[Change]:
        """Compare what is asked of a survey: the status, and the module that the variable belongs to."""
        full = f"{self._record}.{name}"
        before, after = self._before[earlier].status, self._after[name].status
        yield from _part("variable", full, means.status(before, after), "status", (before, after))
        modules = (
            self._old.module_of(self._record, earlier).module,
            self._new.module_of(self._record, name).module,
        )
        yield from _part("variable", full, means.MORE, "module", modules)

    def _same_universe(self, earlier: str, name: str) -> bool:
        one = self._old.universes.get((self._record, earlier))
        return same_predicate(one, self._new.universes.get((self._record, name)), self._renamed)


def _narrowed(part: str, values: tuple[Any, Any], consequence: Consequence) -> Consequence:
    """A wider range asks nothing of a crosswalk."""
    before, after = values
    if part == "minimum" and (after is None or (before is not None and after < before)):
        return means.MORE
    if part == "maximum" and (after is None or (before is not None and after > before)):
        return means.MORE
    return consequence


def same_predicate(old: Predicate | None, new: Predicate | None, renamed: Mapping[str, str]) -> bool:
    """Whether two predicates say the same; ``renamed`` is new name -> name before."""
    if old is None or new is None:
        return old is new

    def earlier(node: Any) -> Any:
        return exp.column(renamed.get(node.name, node.name)) if isinstance(node, exp.Column) else node

    return bool(old.tree == new.tree.copy().transform(earlier))


def _users(framework: Framework, record: RecordKind, variable: str) -> tuple[str, ...]:
    return tuple(
        code
        for code, indicator in framework.indicators.items()
        if variable in indicator.variables and indicator.definition.record in (record, "dyad")
    )


def _rules(old: Framework, new: Framework, declared: Changes) -> Iterator[Change]:
    one, other = old.rules, new.rules
    yield from _same_names("rule class", one.classes, other.classes, means.RULE, means.BY_PARTS)
    yield from _coming_and_going("rule", one.rules, other.rules, means.BY_PARTS)
    for name, rule in other.rules.items():
        if name not in one.rules:
            continue
        earlier, renamed = one.rules[name], declared.renamed(rule.record)
        for part in rule.__struct_fields__:
            consequence = means.RULE[part]
            before, after = getattr(earlier, part), getattr(rule, part)
            if part == "violation" and same_predicate(old.violations[name], new.violations[name], renamed):
                continue
            if part == "variable":
                before = {then: now for now, then in renamed.items()}.get(before, before)
            yield from _part("rule", name, consequence, part, (before, after))


def _indicators(old: Framework, new: Framework, declared: Changes) -> Iterator[Change]:
    for code in old.indicators:
        if code not in new.indicators:
            yield Change("indicator", "removed", code, means.BREAK, indicators=(code,))
    for code, indicator in new.indicators.items():
        if code in old.indicators:
            yield from _indicator(old.indicators[code], indicator, declared)
        else:
            yield Change("indicator", "added", code, means.MORE)


def _indicator(old: ParsedIndicator, new: ParsedIndicator, declared: Changes) -> Iterator[Change]:
    code, record = new.definition.code, new.definition.record
    kinds = RECORDS if record == "dyad" else (record,)
    renamed = {name: before for kind in kinds for name, before in declared.renamed(kind).items()}
    for part, consequence in means.INDICATOR.items():
        if part in _PREDICATES and same_predicate(getattr(old, part), getattr(new, part), renamed):
            continue
        values = getattr(old.definition, part), getattr(new.definition, part)
        touched = (code,) if consequence.breaks else ()
        yield from _part("indicator", code, consequence, part, values, indicators=touched)


def _same_names(
    subject: Subject,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    fields: Mapping[str, Consequence],
    coming_and_going: tuple[Consequence, Consequence],
) -> Iterator[Change]:
    """Compare things that keep their names; fields that they do not have are passed over."""
    yield from _coming_and_going(subject, old, new, coming_and_going)
    for name in new:
        if name not in old:
            continue
        for part, consequence in fields.items():
            values = getattr(old[name], part, None), getattr(new[name], part, None)
            yield from _part(subject, name, consequence, part, values)


def _coming_and_going(
    subject: Subject, old: Iterable[str], new: Iterable[str], meaning: tuple[Consequence, Consequence]
) -> Iterator[Change]:
    before, after = list(old), list(new)
    added, removed = meaning
    yield from (Change(subject, "removed", name, removed) for name in before if name not in after)
    yield from (Change(subject, "added", name, added) for name in after if name not in before)


def _part(
    subject: Subject,
    name: str,
    consequence: Consequence,
    part: str | None,
    values: tuple[Any, Any],
    /,
    *,
    indicators: tuple[str, ...] = (),
) -> Iterator[Change]:
    """Yield the change of one entry of a definition, if there is one."""
    before, after = values
    if before != after:
        yield Change(
            subject,
            "changed",
            name,
            consequence,
            part=part,
            before=_text(before),
            after=_text(after),
            indicators=indicators,
        )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(msgspec.to_builtins(value, str_keys=True), ensure_ascii=False)
