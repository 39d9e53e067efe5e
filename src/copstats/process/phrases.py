"""What a message says of its rule beside names and counts: permitted codes, limits, forms, who is asked.

Each function takes the language last, so that a rule holds it without one (`functools.partial`). What is said
comes from the framework, the manifest or the crosswalk, never from a record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import expressions as exp

from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.export.words import TYPE, Phrases, any_of, code_labels, missing_labels
from copstats.framework.expressions import Predicate
from copstats.language import N_, Translations

Saying = Callable[[Translations], str]
"""Says a part of a message in a language."""

FORMS: Mapping[str, str] = {
    "^[A-Z]{3}$": N_("three capital letters of ISO 3166-1, such as KEN"),
    "^[A-Z]{2}-[A-Z0-9]{1,3}$": N_("a code of ISO 3166-2 in capital letters, such as KE-30"),
    "^[A-Z0-9_-]+$": N_("capital letters, digits, _ and - alone"),
    "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$": N_("a language tag of BCP 47, such as sw or en-GB"),
}
"""Regular expression of a definition -> what it asks for, in words."""
_MONTH = N_("year and month, such as 2026-04")
_LABELLED = 12
"""So many codes are named in a message."""


def as_it_is(text: str, words: Translations) -> str:
    """Say a code or a name, which is the same in every language."""
    return text


def label_of(label: str, codelist: str | None, words: Translations) -> str:
    """Say the label of a code of a code list."""
    return words.text(label, codelist)


def permitted_codes(
    framework: Framework, variable: Variable, missing: Sequence[int], words: Translations
) -> str:
    """Name the codes of a variable: ``1 (Male), 2 (Female) or -8, -9``."""
    named = [
        words.text("{code} ({label})", code=code, label=label)
        for code, label in code_labels(framework, variable, words).items()
    ]
    return _or_missing(_cut(named, words), missing, words)


def permitted_range(
    lower: float | None, upper: float | None, missing: Sequence[int], words: Translations
) -> str:
    """Name the limits of a number: ``0 to 10 or -7, -8, -9``; at least one limit is given."""
    if lower is None:
        inside = words.text(N_("{value} or less"), value=f"{upper:g}")
    elif upper is None:
        inside = words.text(N_("{value} or more"), value=f"{lower:g}")
    else:
        inside = words.text(N_("{low} to {high}"), low=f"{lower:g}", high=f"{upper:g}")
    return _or_missing(inside, missing, words)


def missing_codes(framework: Framework, missing: Sequence[int], words: Translations) -> str:
    """Name the missing codes that a variable takes: ``-8 (Does not know), -9 (Prefers not to say)``."""
    if not missing:
        return words.text("none")
    labels = missing_labels(framework, missing, words)
    named = [words.text("{code} ({label})", code=code, label=label) for code, label in labels.items()]
    return _cut(named, words)


def form(variable: Variable, words: Translations) -> str:
    """Say how a text is to be written; a form that nobody put in words stands as a regular expression."""
    if variable.type == "month":
        return words.text(_MONTH)
    pattern = variable.pattern or ""
    if pattern in FORMS:
        return words.text(FORMS[pattern])
    return words.text("the regular expression {pattern}", pattern=pattern)


def expected(
    framework: Framework,
    variable: Variable,
    mapping: says.Mapping | None,
    missing: Sequence[int],
    words: Translations,
) -> str:
    """Say which entries can be read: the codes that the crosswalk explains, or what the variable holds."""
    if mapping is not None and mapping.map is not None:
        codes = _cut([str(code) for code in mapping.map], words)
        return words.text("what the crosswalk explains, {codes}", codes=codes)
    if variable.type == "code" and variable.codelist:
        return permitted_codes(framework, variable, missing, words)
    if variable.pattern or variable.type == "month":
        return form(variable, words)
    return _or_missing(words.text(TYPE[variable.type]), missing, words)


def asked_of(
    framework: Framework,
    record: RecordKind,
    universe: Predicate | None,
    age_floor: int | None,
    words: Translations,
) -> str:
    """Say who is asked, and by which variables: ``“Used the internet”: Yes (net_3m)``.

    Args:
        framework: for labels.
        record: kind of record.
        universe: of the question; None where everybody is asked.
        age_floor: national age floor of sensitive questions.
        words: language.
    """
    phrases = Phrases(framework, framework.variables(record), words)
    said = phrases.universe(universe if universe is None else _with_floor(universe, age_floor))
    if universe is None or not universe.variables:
        return said
    names = ", ".join(sorted(universe.variables))
    return words.text("{condition} ({variables})", condition=said, variables=names)


def _with_floor(universe: Predicate, age_floor: int | None) -> Predicate:
    """Return the universe with the national age floor, where that is the higher one."""
    floor = universe.floor
    if age_floor is None or floor is None or age_floor <= floor:
        return universe
    own, national = (
        exp.GTE(this=exp.column("age"), expression=exp.Literal.number(years)) for years in (floor, age_floor)
    )
    tree = universe.tree.transform(lambda node: national.copy() if node == own else node)
    return Predicate(text=universe.text, tree=tree, variables=universe.variables, floor=age_floor)


def _or_missing(said: str, missing: Sequence[int], words: Translations) -> str:
    return any_of([said, ", ".join(map(str, missing))], words) if missing else said


def _cut(named: Sequence[str], words: Translations) -> str:
    """Join names with commas; of a long list the first."""
    together = named[0] if named else ""
    for name in named[1:_LABELLED]:
        together = words.text(N_("{first}, {second}"), first=together, second=name)
    rest = len(named) - _LABELLED
    return words.text(N_("{names}; and more: {count}"), names=together, count=rest) if rest > 0 else together
