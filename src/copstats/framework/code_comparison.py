"""Compares the code lists of two versions of a framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from copstats.framework import consequences as means
from copstats.framework.change import Change, Consequence
from copstats.framework.definitions import CodeList, Variable
from copstats.framework.expressions import Predicate
from copstats.framework.model import Framework, ParsedIndicator
from copstats.framework.versions import RECORDS, Changes, CodeListChange

Pairs = list[tuple[int, int]]
"""Code before and code now."""


def code_lists(old: Framework, new: Framework, declared: Changes) -> Iterator[Change]:
    """Yield the changes of code lists and of their codes; not the variables that take another list."""
    before = {declared.list_before(name): name for name in new.codelists}
    for name in old.codelists:
        if name not in before:
            yield Change("code list", "removed", name, means.MORE)
    for name, codelist in new.codelists.items():
        earlier = declared.list_before(name)
        if earlier not in old.codelists:
            yield Change("code list", "added", name, means.MORE)
            continue
        if earlier != name:
            yield Change("code list", "renamed", name, means.MORE, before=earlier)
        one = old.codelists[earlier]
        if one.title != codelist.title:
            yield Change("code list", "changed", name, means.WORDS, "title", one.title, codelist.title)
        yield from _Codes(old, new, declared, earlier, name).changes()


def same_codes(old: Framework, new: Framework, declared: Changes, before: Variable, after: Variable) -> bool:
    """Whether a variable keeps its code list, or one that holds the same codes with the same labels."""
    if before.codelist is None or after.codelist is None:
        return before.codelist == after.codelist
    if declared.list_before(after.codelist) == before.codelist:
        return True
    return old.codelists[before.codelist].codes == new.codelists[after.codelist].codes


class _Codes:
    """Compares the codes of one list."""

    def __init__(self, old: Framework, new: Framework, declared: Changes, earlier: str, name: str) -> None:
        self._old, self._new, self._declared = old, new, declared
        self._earlier, self._name = earlier, name
        self._before: CodeList = old.codelists[earlier]
        self._after: CodeList = new.codelists[name]
        self._says = declared.codelists.get(name, CodeListChange())
        self._fates = declared.recoded(name)
        self._made = {code for codes in self._fates.values() for code in codes}

    def changes(self) -> Iterator[Change]:
        yield from self._declared_changes()
        noted = {entry.code: entry.note for entry in self._says.added}
        for code in self._before.codes:
            if code not in self._after.codes and code not in self._fates:
                yield self._change("removed", code, means.BREAK_AND_RECODE, self._users())
        for code, entry in self._after.codes.items():
            if code in self._made or code in self._fates:
                continue
            if code not in self._before.codes:
                declared = code in noted
                consequence = means.MORE if declared else means.BREAK_AND_RECODE
                touched = () if declared else self._users()
                yield self._change("added", code, consequence, touched, note=noted.get(code))
                continue
            earlier = self._before.codes[code]
            if earlier.label != entry.label:
                yield self._changed(code, "label", earlier.label, entry.label, means.WORDS)
            if earlier.sdmx != entry.sdmx:
                yield self._changed(code, "sdmx", earlier.sdmx, entry.sdmx, means.BREAK)

    def _declared_changes(self) -> Iterator[Change]:
        for merge in self._says.merged:
            consequence, touched = self._recoded([(code, merge.into) for code in merge.sources])
            before = ", ".join(map(str, merge.sources))
            yield self._change("merged", merge.into, consequence, touched, before=before, note=merge.note)
        for split in self._says.split:
            consequence, touched = self._recoded([(split.source, code) for code in split.into])
            after = ", ".join(map(str, split.into))
            yield self._change("split", split.source, consequence, touched, after=after, note=split.note)

    def _recoded(self, pairs: Pairs) -> tuple[Consequence, tuple[str, ...]]:
        """Values stay comparable where no indicator and no published category tells the codes apart."""
        told_apart = tuple(
            sorted(
                {
                    code
                    for earlier, name, indicators in self._variables()
                    for code, (one, other) in indicators.items()
                    if not _agree(one, other, (earlier, name), pairs)
                }
            )
        )
        categories = any(
            self._before.codes[before].sdmx != self._after.codes[after].sdmx for before, after in pairs
        )
        return (means.BREAK_AND_RECODE if told_apart or categories else means.RECODE), told_apart

    def _users(self) -> tuple[str, ...]:
        return tuple(sorted({code for _, _, indicators in self._variables() for code in indicators}))

    def _variables(self) -> Iterator[tuple[str, str, dict[str, tuple[ParsedIndicator, ParsedIndicator]]]]:
        """Yield the names of each variable of this list in both versions, and the indicators that read it."""
        for record in RECORDS:
            renamed = self._declared.renamed(record)
            for name, variable in self._new.variables(record).items():
                earlier = renamed.get(name, name)
                before = self._old.variables(record).get(earlier)
                if variable.codelist != self._name or before is None or before.codelist != self._earlier:
                    continue
                yield (
                    earlier,
                    name,
                    {
                        code: (one, self._new.indicators[code])
                        for code, one in self._old.indicators.items()
                        if code in self._new.indicators
                        and one.definition.record in (record, "dyad")
                        and earlier in one.variables
                    },
                )

    def _change(
        self,
        action: str,
        code: int,
        consequence: Consequence,
        indicators: tuple[str, ...],
        **texts: str | None,
    ) -> Change:
        name = f"{self._name} {code}"
        return Change("code", action, name, consequence, indicators=indicators, **texts)  # type: ignore[arg-type]

    def _changed(
        self, code: int, part: str, before: str | None, after: str | None, consequence: Consequence
    ) -> Change:
        touched = self._users() if consequence.breaks else ()
        name = f"{self._name} {code}"
        return Change("code", "changed", name, consequence, part, before, after, indicators=touched)


def _agree(old: ParsedIndicator, new: ParsedIndicator, names: tuple[str, str], pairs: Pairs) -> bool:
    one, other = list(_predicates(old)), list(_predicates(new))
    return len(one) == len(other) and all(
        means.same_answer(before, after, names, pairs) for before, after in zip(one, other, strict=True)
    )


def _predicates(indicator: ParsedIndicator) -> Iterable[Predicate]:
    own = (indicator.universe, indicator.denominator, indicator.numerator)
    yield from (predicate for predicate in own if predicate is not None)
    for member in indicator.members:
        yield from _predicates(member)
