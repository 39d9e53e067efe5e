"""Relations among indicators that hold for every set of records, derived from the definitions.

``X`` is the weighted number of yes and ``W`` the weight of the valid answers of an indicator in one cell. If
a yes to one indicator implies a yes to another, X of the first is at most X of the second, whatever the item
non-response; and so on for no. An indicator whose valid answers are those of children who said yes to another
(a filter) has that X for its base.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import permutations

import duckdb
from sqlglot import expressions as exp

from copstats.disclose.audit.answers import Combination, Question, combinations, with_filters
from copstats.framework.expressions import Predicate
from copstats.framework.loader import Framework, ParsedIndicator
from copstats.store.engine import memory_connection


@dataclass(frozen=True)
class Relation:
    """``sum(yes[i] * X_i) + sum(base[i] * W_i) <= 0`` in every cell.

    Attributes:
        yes: indicator -> factor of its X.
        base: indicator -> factor of its W.
        routed: it holds only where questions were put as the framework's filters say.
    """

    yes: Mapping[str, float]
    base: Mapping[str, float] = field(default_factory=dict)
    routed: bool = False

    @property
    def indicators(self) -> frozenset[str]:
        """Indicators that it relates."""
        return frozenset(self.yes) | frozenset(self.base)


@dataclass(frozen=True)
class Filter:
    """The valid answers of an indicator come from children who said yes to another.

    Attributes:
        source: the indicator that filters.
        dependent: the indicator that is asked of its yes.
        complete: whether all of these belong to its base (but for item non-response).
        routed: it holds only where questions were put as the framework's filters say.
    """

    source: str
    dependent: str
    complete: bool
    routed: bool


@dataclass(frozen=True)
class Nesting:
    """The same question in a narrower and in a wider base.

    Attributes:
        inner: indicator of the narrower base.
        outer: indicator of the wider base.
        definitional: the children outside the narrower base count as no, so that nothing is learnt of them.
    """

    inner: str
    outer: str
    definitional: bool


@dataclass(frozen=True)
class Logic:
    """All that follows from the definitions of some indicators."""

    relations: tuple[Relation, ...] = ()
    filters: tuple[Filter, ...] = ()
    nestings: tuple[Nesting, ...] = ()


@dataclass(frozen=True)
class _Definitions:
    """Indicators of a framework; what follows from them is derived once."""

    fingerprint: str
    codes: frozenset[str]
    framework: Framework = field(compare=False)


def logic_of(framework: Framework, codes: Collection[str]) -> Logic:
    """Return what the definitions of some indicators say of each other.

    Args:
        framework: definitions.
        codes: indicators that are published; others are left out.
    """
    return _derived(_Definitions(framework.fingerprint, frozenset(codes), framework))


@lru_cache(maxsize=16)
def _derived(definitions: _Definitions) -> Logic:
    framework = definitions.framework
    own = {
        code: one
        for code, one in framework.indicators.items()
        if code in definitions.codes and one.definition.statistic == "proportion"
    }
    relations = [relation for one in own.values() for relation in _combined(one, own)]
    filters: list[Filter] = []
    nestings: list[Nesting] = []
    with memory_connection(threads=1) as connection:
        for first, second in permutations((one for one in own.values() if one.numerator), 2):
            if not _may_be_related(first, second, framework):
                continue
            pair = _Pair(first, second, _ways(first, second, framework, connection))
            if (found := pair.filter()) is not None:
                filters.append(found)
            else:
                relations += pair.relations()
                nestings += pair.nestings()
        for one in own.values():
            relations += _alternatives(one, own, framework, connection)
    filtered = {frozenset((one.source, one.dependent)) for one in filters}
    kept = (relation for relation in relations if relation.indicators not in filtered)
    return Logic(tuple(kept), tuple(filters), tuple(nestings))


@dataclass(frozen=True)
class _Pair:
    first: ParsedIndicator
    second: ParsedIndicator
    ways: list[Combination]

    @property
    def codes(self) -> tuple[str, str]:
        return self.first.definition.code, self.second.definition.code

    def implies(self, given: bool, then: bool) -> tuple[bool, bool]:
        """Return whether one answer to the first implies one to the second: always; if routed."""
        of = [way for way in self.ways if way.first is given]
        routed = [way for way in of if way.routed]
        return (
            bool(of) and all(way.second is then for way in of),
            bool(routed) and all(way.second is then for way in routed),
        )

    def relations(self) -> Iterator[Relation]:
        one, other = self.codes
        forms = {
            (True, True): ({one: 1, other: -1}, {}),
            (False, False): ({one: -1, other: 1}, {one: 1, other: -1}),
            (True, False): ({one: 1, other: 1}, {other: -1}),
            (False, True): ({one: -1, other: -1}, {one: 1}),
        }
        for (given, then), (yes, base) in forms.items():
            always, routed = self.implies(given, then)
            if always or routed:
                yield Relation(yes, base, routed=not always)

    def filter(self) -> Filter | None:
        always, routed = self.implies(True, True)
        always_no, routed_no = self.implies(False, True)
        if not (routed and routed_no):
            return None
        dependent, source = self.codes
        reverse = [way for way in self.ways if way.second is True and way.routed]
        return Filter(source, dependent, self._complete(reverse), routed=not (always and always_no))

    def _complete(self, of_source: list[Combination]) -> bool:
        return all(way.first is not None or not way.outside_first for way in of_source)

    def nestings(self) -> Iterator[Nesting]:
        if self._nested:
            yield Nesting(*self.codes, definitional=self._no_outside)

    @property
    def _nested(self) -> bool:
        """Whether the first is the same question in a narrower base."""
        same = self.implies(True, True)[0] and self.implies(False, False)[0]
        return same and any(way.second is not None and way.first is None for way in self.ways)

    @property
    def _no_outside(self) -> bool:
        outside = [way for way in self.ways if way.outside_first and way.routed and way.second is not None]
        return bool(outside) and all(way.second is False for way in outside)


def _ways(
    first: ParsedIndicator,
    second: ParsedIndicator,
    framework: Framework,
    connection: duckdb.DuckDBPyConnection,
) -> list[Combination]:
    record = first.definition.record
    return combinations(_question(first), _question(second), record, framework, connection)


def _question(indicator: ParsedIndicator, yes: Predicate | None = None) -> Question:
    answer = yes or indicator.numerator
    if answer is None:
        raise ValueError("a composite is no question of its own")
    base = tuple(p for p in (indicator.universe, indicator.denominator) if not p.always)
    return Question(base, answer, indicator.definition.missing)


def _may_be_related(first: ParsedIndicator, second: ParsedIndicator, framework: Framework) -> bool:
    """Without a variable in common no answer to the first says anything of the second."""
    record = first.definition.record
    if record != second.definition.record or second.numerator is None:
        return False
    return bool(with_filters(first.variables, record, framework) & second.numerator.variables)


def _combined(one: ParsedIndicator, own: Mapping[str, ParsedIndicator]) -> Iterator[Relation]:
    """Relations of a composite with its members, where they speak of the same children.

    A composite of ``any`` is yes for exactly those who said yes to a member, and no only for those who said
    no to all; of ``all`` it is the other way round.
    """
    members = [m for m in one.members if m.definition.code in own and _same_base(one, m)]
    code, any_of = one.definition.code, one.definition.combine == "any"
    for member in members:
        of = member.definition.code
        sign = 1 if any_of else -1
        yield Relation({of: sign, code: -sign})
        yield Relation({of: sign, code: -sign}, {code: sign, of: -sign})
    if members and len(members) == len(one.members):
        yield _union(code, [m.definition.code for m in members], yes=any_of)


def _same_base(one: ParsedIndicator, other: ParsedIndicator) -> bool:
    return (one.universe.text, one.denominator.text) == (other.universe.text, other.denominator.text)


def _alternatives(
    one: ParsedIndicator,
    own: Mapping[str, ParsedIndicator],
    framework: Framework,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[Relation]:
    """The relation of a numerator that joins alternatives with indicators that each of them implies."""
    tree = None if one.numerator is None else one.numerator.tree.unnest()
    if not isinstance(tree, exp.Or | exp.And):
        return
    yes, covering = isinstance(tree, exp.Or), set()
    for part in tree.flatten():
        names = frozenset(column.name for column in part.find_all(exp.Column))
        question = _question(one, Predicate(part.sql(), part, names))
        others = (
            code
            for code, other in own.items()
            if other is not one
            and other.numerator is not None
            and other.numerator.variables == names
            and other.definition.record == one.definition.record
            and _implies(yes, question, other, framework, connection)
        )
        if (found := next(others, None)) is None:
            return
        covering.add(found)
    yield _union(one.definition.code, sorted(covering), yes=yes)


def _implies(
    answer: bool,
    question: Question,
    other: ParsedIndicator,
    framework: Framework,
    connection: duckdb.DuckDBPyConnection,
) -> bool:
    ways = combinations(question, _question(other), other.definition.record, framework, connection)
    of = [way for way in ways if way.first is answer]
    return bool(of) and all(way.second is answer for way in of)


def _union(code: str, parts: list[str], *, yes: bool) -> Relation:
    """Return that yes (or no) to an indicator is yes (or no) to at least one of others."""
    if yes:
        return Relation({code: 1, **dict.fromkeys(parts, -1)})
    return Relation({code: -1, **dict.fromkeys(parts, 1)}, {code: 1, **dict.fromkeys(parts, -1)})
