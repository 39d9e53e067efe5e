"""Names of codes, and figures in words, in the language of a page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from copstats.disseminate.site.reading import Content, Value
from copstats.framework.aggregation import load_aggregation
from copstats.language import N_, Translations

DOMAINS = {
    "access": N_("Access to the internet"),
    "use": N_("Use of the internet"),
    "skills": N_("Digital skills"),
    "content": N_("Risks: content"),
    "contact": N_("Risks: contact"),
    "conduct": N_("Risks: conduct"),
    "contract": N_("Risks: contract, and use of data"),
    "cross_cutting": N_("Risks that cut across"),
    "harm": N_("Harm"),
    "help": N_("Help and reporting"),
    "mediation": N_("Mediation by parents"),
    "rights": N_("Rights of the child"),
    "wellbeing": N_("Well-being"),
    "composite": N_("Composite indicators"),
}
"""Domains of the framework in the order in which the site lists them."""

DIMENSIONS = {
    "sex": N_("Sex"),
    "age": N_("Age"),
    "residence": N_("Degree of urbanisation"),
    "wealth_quintile": N_("Wealth or affluence"),
    "disability": N_("Disability"),
    "education": N_("Education"),
    "region": N_("Region of the country"),
}
"""Dimensions by which values are broken down."""


class Names:
    """Gives codes their names in one language.

    Args:
        content: the release.
        words: the language.
    """

    def __init__(self, content: Content, words: Translations) -> None:
        self._content = content
        self._words = words
        self._number = lru_cache(maxsize=None)(words.number)
        self._framework = content.published.framework

    def indicator(self, code: str) -> str:
        """Return the title of an indicator."""
        return self._words.text(self._framework.indicators[code].definition.title)

    def domain(self, code: str) -> str:
        """Return the title of a domain; its code where it has none."""
        return self._words.text(DOMAINS[code]) if code in DOMAINS else code

    def area(self, code: str) -> str:
        """Return the name of a country or area; its code where the release does not know it."""
        area = self._content.published.areas.get(code)
        return self._words.area(code, area.name) if area else self.group("world", code)

    def dimension(self, column: str) -> str:
        """Return the name of a dimension."""
        return self._words.text(DIMENSIONS[column])

    def scheme(self, code: str) -> str:
        """Return the name of a classification of areas; its code where the publisher added it."""
        schemes = load_aggregation(self._framework.id).schemes
        return self._words.text(schemes[code].title) if code in schemes else code

    def group(self, scheme: str, code: str) -> str:
        """Return the name of a group of areas."""
        return self._words.text(load_aggregation(self._framework.id).label(scheme, code))

    def code(self, column: str, code: str) -> str:
        """Return the label of a code of ``indicator_value``; the code itself where it has none."""
        label = self._content.codes.get(column, {}).get(code)
        return label.get(self._words.language, label["en"]) if label else code

    def reasons(self, codes: str | None) -> list[str]:
        """Return the criteria that keep a value from class A; from ``comparability_reasons``."""
        return [self._reason(code) for code in (codes or "").split(";") if code]

    def _reason(self, code: str) -> str:
        criterion = self._content.criteria.get(code)
        # Of what is unknown the label says so; of the others the criterion is enough beside the class.
        if criterion is None or code.endswith("_unknown"):
            return self.code("comparability_reasons", code)
        return self._words.text(criterion)

    def number(self, value: float | None, decimals: int | None = None) -> str:
        """Return a number in this language, with the decimals that it needs; None is empty."""
        if value is None:
            return ""
        return self._number(value, _decimals(value) if decimals is None else decimals)

    def signed(self, value: float | None) -> str:
        """Return a difference with its sign; None is empty."""
        if value is None:
            return ""
        # A mark before the sign, as `Translations.number` sets it, keeps it at the left of the figure.
        mark = "\u200e" if self._words.direction == "rtl" else ""
        return f"{mark}+{self.number(value)}" if value > 0 else self.number(value)

    def value(self, value: float | None, reason: str | None) -> str:
        """Return a published value, or in words why there is none."""
        return self.number(value) if value is not None else self.code("reason", reason or "")

    def interval(self, lower: float | None, upper: float | None) -> str:
        """Return the limits of an interval, or nothing."""
        if lower is None or upper is None:
            return ""
        decimals = max(_decimals(lower), _decimals(upper))
        low, high = self.number(lower, decimals), self.number(upper, decimals)
        return self._words.text("{low} to {high}", low=low, high=high)

    def unit(self, code: str | None) -> str:
        """Return the name of a unit of measure."""
        return self.code("unit_measure", code or "")

    def groups(self, value: Value) -> Sequence[str]:
        """Return the labels of the groups that a value is of; none for the total."""
        codes = {column: getattr(value, column) for column in DIMENSIONS}
        return [self.code(column, code) for column, code in codes.items() if code != "_T"]


def _decimals(value: float) -> int:
    """Return how many decimals a published figure has; none has more than two."""
    return next((places for places in (0, 1) if round(value, places) == value), 2)
