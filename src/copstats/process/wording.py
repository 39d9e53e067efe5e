"""What the placeholders of a rule's message stand for, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from copstats.language import Translations
from copstats.process.compiled import CompiledRule, Parameter
from copstats.process.identifying import IN_WORDS


def names_of(
    rule: CompiledRule,
    variable: str | None,
    params: Mapping[str, Parameter],
    count: int,
    words: Translations,
) -> dict[str, str]:
    """Return what the placeholders of a rule's message stand for.

    Args:
        rule: the rule.
        variable: of the finding; None for that of the rule.
        params: of the finding.
        count: number of findings of the rule.
        words: language.
    """
    own = {name: in_words(value, words) for name, value in params.items()}
    own |= {name: saying(words) for name, saying in rule.told.items()}
    return own | {
        "variable": variable or rule.variable or "",
        "label": words.text(rule.label) if rule.label else "",
        "column": rule.column or variable or "",
        "count": words.number(count),
    }


def in_words(value: Parameter, words: Translations) -> str:
    """Write a parameter of a message: two decimals at most, a kind in words, a name as it is."""
    if isinstance(value, str):
        return words.text(value) if value in IN_WORDS else value
    decimals = f"{value:.2f}".rstrip("0").partition(".")[2]
    return words.number(value, len(decimals))
