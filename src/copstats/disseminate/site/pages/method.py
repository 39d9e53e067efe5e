"""How the values are made: pages written from the framework and its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from copstats.disseminate.site.names import Names
from copstats.disseminate.site.page import Link, Page
from copstats.disseminate.site.pages import method_glossary, method_rules
from copstats.disseminate.site.reading import Content
from copstats.framework.aggregation import load_aggregation
from copstats.framework.export.codebook_content import codebook
from copstats.framework.export.selection import select
from copstats.language import N_, Translations

SECTION = "method/index.html"

Context = Callable[[Content, Names, Translations], Mapping[str, Any]]


def pages(content: Content, words: Translations) -> Iterator[Page]:
    """Yield the pages."""
    names = Names(content, words)
    title = words.text("Method")
    listed = [(f"method/{name}.html", words.text(text), words.text(about)) for name, text, about, _ in _PAGES]
    yield Page(SECTION, title, "method.html.jinja", {"listed": listed})
    parents = [Link(title, SECTION)]
    for name, text, _, context in _PAGES:
        shown = context(content, names, words)
        template = f"method_{name}.html.jinja"
        yield Page(f"method/{name}.html", words.text(text), template, shown, SECTION, parents)


def _estimation(content: Content, names: Names, words: Translations) -> Mapping[str, Any]:
    head = content.published.framework.head
    return {
        "bands": [names.code("age", band.code) for band in head.ages.bands],
        "missing": [
            (words.text(entry.label), words.text(entry.definition)) for entry in head.missing.values()
        ],
    }


def _comparability(content: Content, names: Names, words: Translations) -> Mapping[str, Any]:
    return {"criteria": method_rules.graded(content.published.framework.id, names, words)}


def _disclosure(content: Content, names: Names, words: Translations) -> Mapping[str, Any]:
    profile = content.published.profile
    framework = content.published.framework
    return {
        "thresholds": method_rules.thresholds(profile, names, words),
        "relations": method_rules.relations(profile, words),
        "limits": method_rules.limits(profile, names, words),
        "rounding": method_rules.rounding(profile, words),
        "reasons": method_rules.reasons(profile, words),
        "sensitive": [code for code, one in framework.indicators.items() if one.definition.tier == "B"],
    }


def _aggregates(content: Content, names: Names, words: Translations) -> Mapping[str, Any]:
    rules = load_aggregation(content.published.framework.id)
    return {
        "bands": [names.code("age", band.code) for band in content.published.framework.head.ages.bands],
        "rules": [
            (words.text(rule.text), rule.value, rule.source)
            for rule in (rules.minimum_countries, rules.minimum_coverage, rules.oldest)
        ],
        "schemes": [(words.text(scheme.title), len(scheme.groups)) for scheme in rules.schemes.values()],
    }


def _variables(content: Content, names: Names, words: Translations) -> Mapping[str, Any]:
    return {"modules": codebook(select(content.published.framework, None), words).modules}


def _revisions(content: Content, names: Names, words: Translations) -> Mapping[str, Any]:
    return {}


def _glossary(content: Content, names: Names, words: Translations) -> Mapping[str, Any]:
    return {"terms": method_glossary.terms(words)}


_PAGES: tuple[tuple[str, str, str, Context], ...] = (
    (
        "estimation",
        N_("How values are estimated"),
        N_("From answers to a share with an interval."),
        _estimation,
    ),
    (
        "comparability",
        N_("Which values may be compared"),
        N_("The classes A, B and C, and what decides on them."),
        _comparability,
    ),
    (
        "disclosure",
        N_("How children are protected"),
        N_("What is withheld, how figures are rounded, and why."),
        _disclosure,
    ),
    (
        "aggregates",
        N_("Means of groups of countries, and standardised values"),
        N_("How countries are put together, and how ages are made alike."),
        _aggregates,
    ),
    (
        "variables",
        N_("Modules and variables"),
        N_("What surveys ask, and which indicators use it."),
        _variables,
    ),
    (
        "revisions",
        N_("Releases and revisions"),
        N_("When values appear, when they change, and how that is told."),
        _revisions,
    ),
    ("glossary", N_("Glossary"), N_("Words of these pages in short."), _glossary),
)
"""Name of the page, its title, what it is about, and what its template shows."""
