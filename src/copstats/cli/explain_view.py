"""Shows the explanation of a published value."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape

from copstats.cli.explain_home_view import home_json, home_parts
from copstats.cli.explain_parts import listed, section
from copstats.language import N_
from copstats.store.schemas import DIMENSIONS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from copstats.explaining import AggregateFacts, Explanation, Ground, PublishedFacts, Withheld
    from copstats.explaining.published import Row
    from copstats.language import Translations

TOTAL = "_T"
_CLASSES = {"A": N_("Comparable"), "B": N_("Comparable with caution"), "C": N_("Not comparable")}
_WEIGHTED_BY = {"population": N_("children"), "internet_users": N_("children who use the internet")}
_EVERYBODY = "TRUE"


def render(explanation: Explanation, words: Translations, *, sql: bool = False) -> RenderableType:
    """Return the screen; the SQL only if it is asked for."""
    facts = explanation.published
    parts: list[RenderableType] = [
        *_heading(facts, words),
        section(words.text("Value"), _value(facts, words)),
        section(words.text("Definition"), _definition(facts, words)),
        section(words.text("Survey"), _survey(facts, words)),
        section(words.text("Comparability"), _comparability(facts, words)),
    ]
    if explanation.kept is None:
        parts.append(words.text("Wording, SQL and earlier vintages are in the home that made the release."))
    else:
        parts += home_parts(explanation.kept, words, sql=sql)
    if words.notice:
        parts.append(f"[dim]{words.notice}[/]")
    return Group(*parts)


def render_group(facts: AggregateFacts, words: Translations) -> RenderableType:
    """Return the screen of an aggregate: how it was made, and of which countries."""
    value = facts.value
    coverage = None if value["coverage"] is None else _share(value["coverage"], words)
    counted = words.text("{countries} of {areas}", countries=value["countries"], areas=value["areas"])
    rows: list[tuple[str, str | None]] = [
        (words.text("Value"), _figure(value, words)),
        (words.text("Why"), facts.reason),
        (words.text("Countries with a value"), counted),
        (words.text("Share of the children"), coverage),
        (words.text("Weighted by"), words.text(_WEIGHTED_BY[value["weighted_by"]])),
        (
            words.text("Years of the values"),
            "-".join(sorted({value["earliest_period"], value["latest_period"]})),
        ),
        (words.text("Mean of countries"), _number(value["country_mean"], words)),
        *((words.text("Rule"), f"{words.text(one.text)} ({one.number:g})") for one in facts.rules),
    ]
    members = [_member(row, facts, words) for row in facts.members]
    columns = [words.text("Country"), words.text("Share of the weight"), words.text("Value")]
    group = [words.text(value["label"]), value["time_period"]]
    return Group(
        *_title(facts.indicator, [*group, *([] if value["sex"] == TOTAL else [value["sex"]])], words),
        section(words.text("Value"), rows),
        section(words.text("Comparability"), _grounds(value["comparability"], facts.grounds, words)),
        listed(words.text("Members"), [*columns, words.text("Class"), words.text("Submission")], members),
    )


def as_json(explanation: Explanation) -> dict[str, object]:
    """Return the explanation as it is printed with ``--json``."""
    told = dataclasses.asdict(explanation.published)
    return told | {"home": None if explanation.kept is None else home_json(explanation.kept)}


def _member(row: Row, facts: AggregateFacts, words: Translations) -> tuple[str, ...]:
    name = words.area(row["ref_area"], facts.areas[row["ref_area"]])
    share = words.text("{share} %", share=words.number(100 * row["share"], 1))
    return (name, share, _number(row["value"], words), row["comparability"], row["source"])


def _title(indicator: Row, place: Iterable[str], words: Translations) -> list[str]:
    title = words.text(indicator["title"])
    return [f"[bold]{escape(indicator['indicator'])}  {escape(title)}[/]", escape(", ".join(place)), ""]


def _heading(facts: PublishedFacts, words: Translations) -> list[str]:
    value = facts.value
    group = [
        words.text(facts.labels[name]) if name in facts.labels else str(value[name])
        for name in DIMENSIONS
        if value[name] != TOTAL
    ]
    place = [words.area(value["ref_area"], facts.area), value["time_period"], value["survey"], *group]
    release = words.text("Release {label}", label=facts.release["label"])
    return _title(facts.indicator, [*place, release], words)


def _value(facts: PublishedFacts, words: Translations) -> list[tuple[str, str | None]]:
    value, labels = facts.value, facts.labels

    def label(name: str) -> str | None:
        return words.text(labels[name]) if name in labels else value[name]

    return [
        (words.text("Value"), _figure(value, words, label("unit_measure") or "")),
        (words.text("Standardised"), None if value["standardised"] == "N" else label("standardised")),
        (words.text("Answers"), label("n_band")),
        (words.text("Without an answer"), label("nonresponse_band")),
        (words.text("Status"), label("obs_status")),
        (words.text("Reliability"), label("reliability")),
        *([] if facts.withheld is None else _withheld(facts.withheld, words)),
    ]


def _figure(value: Row, words: Translations, unit: str = "") -> str:
    if value["value"] is None:
        return words.text("no figure")
    figures = {
        name: _number(value[column], words)
        for name, column in (("value", "value"), ("low", "ci_lower"), ("high", "ci_upper"), ("se", "se"))
    }
    text = words.text("{value} (95 % interval {low} to {high}, standard error {se})", **figures)
    return f"{text}  {unit or value['unit_measure']}"


def _number(value: float | None, words: Translations) -> str:
    if value is None:
        return "-"
    return words.number(value, 0 if value == round(value) else 1)


def _withheld(withheld: Withheld, words: Translations) -> list[tuple[str, str | None]]:
    rules = [
        f"{one.rule}: {words.text(one.text)}"
        if one.number is None
        else f"{one.rule}: {words.text(one.text)} "
        + words.text("Tier {tier}: {number}", tier=withheld.tier or "-", number=f"{one.number:g}")
        for one in withheld.rules
    ]
    counted = None
    if withheld.cells is not None and withheld.of_cells is not None:
        cells = {"cells": words.number(withheld.cells), "of": words.number(withheld.of_cells)}
        counted = words.text(
            "Cells of the indicator in this survey for this reason: {cells} of {of}", **cells
        )
    return [
        (words.text("Why"), f"{words.text(withheld.label)} ({withheld.reason})"),
        *((words.text("Rule") if i == 0 else "", text) for i, text in enumerate(rules)),
        ("", counted),
        (words.text("Answers needed"), withheld.n_band_needed),
    ]


def _definition(facts: PublishedFacts, words: Translations) -> list[tuple[str, str | None]]:
    of = facts.indicator
    return [
        (words.text("Statistic"), f"{of['statistic']}, {of['record']}"),
        (words.text("Reference population"), _population(of["universe"], words)),
        (words.text("Denominator"), _population(of["denominator"], words)),
        (words.text("Numerator"), of["numerator"]),
        *(
            (words.text("Combines"), f"{one['indicator']}  {words.text(one['title'])}")
            for one in facts.members
        ),
        (words.text("Recall period"), of["recall"]),
        (words.text("Ages"), f"{of['age_minimum']}-{of['age_maximum']}"),
        (words.text("Tier"), of["tier"]),
        (words.text("Reference"), of["reference"]),
        (words.text("Note"), None if of["note"] is None else words.text(of["note"])),
    ]


def _population(predicate: str, words: Translations) -> str:
    return words.text(N_("everybody")) if predicate == _EVERYBODY else predicate


def _survey(facts: PublishedFacts, words: Translations) -> list[tuple[str, str | None]]:
    of = facts.source
    population = (
        f"{of['age_minimum']}-{of['age_maximum']}, {of['universe']}, {of['setting']}, {of['coverage']}"
    )
    return [
        (words.text("Title"), of["title"]),
        (words.text("Office"), of["organisation"]),
        (
            words.text("Fieldwork"),
            f"{words.date(of['fieldwork_start'])} - {words.date(of['fieldwork_end'])}",
        ),
        (words.text("Population"), population),
        (words.text("Left out"), of["excluded"]),
        (words.text("Sampling"), of["sampling"]),
        (words.text("Mode"), of["mode"]),
        (words.text("Response"), _share(of["response_rate"], words)),
        (words.text("Covered by the frame"), _share(of["coverage_share"], words)),
        (words.text("Weights"), of["weight_method"]),
        (words.text("Submission"), of["source"]),
        ("SHA-256", of["content_hash"]),
        (words.text("Custody"), of["custody"]),
    ]


def _share(share: float | None, words: Translations) -> str | None:
    return None if share is None else words.text("{share} %", share=words.number(100 * share, 1))


def _comparability(facts: PublishedFacts, words: Translations) -> list[tuple[str, str | None]]:
    return _grounds(facts.value["comparability"], facts.grounds, words)


def _grounds(
    grade: str | None, grounds: Iterable[Ground], words: Translations
) -> list[tuple[str, str | None]]:
    return [
        (words.text("Class"), f"{grade}: {words.text(_CLASSES[grade])}" if grade else None),
        *((one.code, f"{words.text(one.text)} [{words.text(one.evidence)}]") for one in grounds),
    ]
