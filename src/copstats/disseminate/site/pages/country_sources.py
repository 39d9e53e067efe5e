"""The surveys of a country: what is stated of them, how good their values are, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from copstats.disseminate.site.names import Names
from copstats.disseminate.site.pages.country_rows import CountryRows, SourceRow
from copstats.disseminate.site.pages.country_texts import REMEDIES, STATE_IT, STATED, UNKNOWN_SUFFIX
from copstats.language import Translations


class Criterion(NamedTuple):
    """What keeps values of a survey from class A: of how many indicators, and what would help."""

    label: str
    indicators: int
    evidence: str
    remedy: str


class Missing(NamedTuple):
    """National values that a survey does not give."""

    reason: str
    indicators: Sequence[str]


class Withheld(NamedTuple):
    """Cells that are withheld for a reason."""

    reason: str
    cells: int


class Source(NamedTuple):
    """A survey."""

    title: str
    period: str
    facts: Sequence[tuple[str, str]]
    shown: int
    criteria: Sequence[Criterion]
    nonresponse: Sequence[tuple[str, int]]
    missing: Sequence[Missing]
    withheld: Sequence[Withheld]
    of_cells: int


def sources(area: str, rows: CountryRows, names: Names, words: Translations) -> list[Source]:
    """Return the surveys of a country, the newest first.

    Args:
        area: its code.
        rows: what the release says of countries.
        names: of codes.
        words: the language.
    """
    return [_source(row, rows, names, words) for row in rows.sources.get(area, ())]


def _source(row: SourceRow, rows: CountryRows, names: Names, words: Translations) -> Source:
    quality = rows.quality.get(row.source, ())
    withheld = rows.withheld.get(row.source, ())
    titles = {title.language: title.text for title in rows.titles.get(row.source, ())}
    return Source(
        title=titles.get(words.language) or row.title or row.survey,
        period=row.time_period,
        facts=[(term, text) for term, text in _facts(row, names, words) if text],
        shown=sum(one.indicators for one in quality if one.kind == "shown"),
        criteria=[
            _criterion(one.code, one.indicators, rows.evidence, names, words)
            for one in sorted(quality, key=lambda one: (-one.indicators, one.code))
            if one.kind == "criterion"
        ],
        nonresponse=[
            (names.code("nonresponse_band", one.code), one.indicators)
            for one in quality
            if one.kind == "nonresponse"
        ],
        missing=[
            Missing(names.code("reason", one.reason), one.indicators.split())
            for one in rows.absent.get(row.source, ())
        ],
        withheld=[Withheld(names.code("reason", one.reason), one.cells) for one in withheld],
        of_cells=withheld[0].of_cells if withheld else 0,
    )


def _criterion(
    code: str, indicators: int, evidence: Mapping[str, str], names: Names, words: Translations
) -> Criterion:
    criterion = code.removesuffix(UNKNOWN_SUFFIX)
    remedy = STATE_IT if code != criterion else REMEDIES.get(criterion, "")
    return Criterion(
        label=names.code("comparability_reasons", code),
        indicators=indicators,
        evidence=words.text(evidence[criterion]) if criterion in evidence else "",
        remedy=words.text(remedy) if remedy else "",
    )


def _facts(row: SourceRow, names: Names, words: Translations) -> Iterable[tuple[str, str]]:
    yield words.text("Statistics office"), row.organisation
    yield words.text("Reference year"), row.time_period
    dates = (words.date(day) for day in (row.fieldwork_start, row.fieldwork_end))
    yield words.text("Fieldwork"), words.text("{first} to {last}", first=next(dates), last=next(dates))
    yield words.text("Ages"), _ages(row, words)
    for column, term in (
        ("universe", words.text("Population")),
        ("setting", words.text("Children were reached in")),
        ("coverage", words.text("Area covered")),
    ):
        yield term, _stated(row, column, words)
    yield words.text("Left out"), row.excluded or ""
    yield words.text("Sample"), _stated(row, "sampling", words)
    yield words.text("Mode"), _stated(row, "mode", words)
    yield words.text("Overall response rate"), _per_cent(row.response_rate, names, words)
    yield (
        words.text("Share of the target population in the frame"),
        _per_cent(row.coverage_share, names, words),
    )
    yield words.text("Weights"), row.weight_method or words.text("not stated")
    yield words.text("Children in the file"), names.code("n_band", row.child_records or "")
    yield words.text("Parents in the file"), names.code("n_band", row.parent_records or "")
    yield words.text("Identifiers replaced with pseudonyms"), _stated(row, "custody", words)
    yield words.text("Submission"), row.source


def _ages(row: SourceRow, words: Translations) -> str:
    ages = words.ages(row.age_minimum, row.age_maximum)
    if row.bottom_coded:
        ages = words.text("{ages}; the youngest age also holds younger children", ages=ages)
    if row.top_coded:
        ages = words.text("{ages}; the oldest age also holds older persons", ages=ages)
    return ages


def _stated(row: SourceRow, column: str, words: Translations) -> str:
    code = getattr(row, column) or ""
    return words.text(STATED[column][code]) if code in STATED[column] else code


def _per_cent(share: float | None, names: Names, words: Translations) -> str:
    if share is None:
        return words.text("not stated")
    per_cent = round(100 * share, 1)
    return words.text("{share} %", share=names.number(per_cent))
