"""What a release says of each country: read once, for the pages of all languages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from string import Template
from typing import NamedTuple

from copstats.disseminate.site.reading import Content, Row, Value, grouped
from copstats.store.schemas import DIMENSIONS

_TOTAL = " AND ".join(f"{name} = '_T'" for name in DIMENSIONS)

Rows = Mapping[str, Sequence[Row]]


class GapRow(NamedTuple):
    """Two groups of a country side by side."""

    ref_area: str
    indicator: str
    dimension: str
    time_period: str
    group_a: str
    group_b: str
    value_a: float | None
    value_b: float | None
    difference: float | None
    ci_lower: float | None
    ci_upper: float | None
    comparability: str | None
    reason: str | None


class ChangeRow(NamedTuple):
    """Two rounds of a survey side by side."""

    ref_area: str
    survey: str
    indicator: str
    time_period_from: str
    time_period_to: str
    value_from: float | None
    value_to: float | None
    change: float | None
    ci_lower: float | None
    ci_upper: float | None
    p: float | None
    samples: str | None
    comparability: str | None
    comparability_reasons: str | None
    reason: str | None


class SourceRow(NamedTuple):
    """What a statistics office states of a survey."""

    ref_area: str
    source: str
    survey: str
    time_period: str
    version: int
    title: str | None
    organisation: str
    fieldwork_start: dt.date
    fieldwork_end: dt.date
    age_minimum: int
    age_maximum: int
    bottom_coded: bool
    top_coded: bool
    universe: str
    setting: str
    coverage: str
    excluded: str | None
    sampling: str
    mode: str
    response_rate: float | None
    coverage_share: float | None
    weight_method: str | None
    child_records: str | None
    parent_records: str | None
    custody: str | None


class TitleRow(NamedTuple):
    """The title of a survey in one language."""

    code: str
    language: str
    text: str


class EvidenceRow(NamedTuple):
    """Where the facts on a criterion of comparability are taken from."""

    code: str
    evidence: str


class TrendRow(NamedTuple):
    """A published national value of a country with several rounds of a survey."""

    ref_area: str
    survey: str
    indicator: str
    time_period: str
    value: float
    ci_lower: float | None
    ci_upper: float | None
    obs_status: str


class QualityRow(NamedTuple):
    """How many national values of a source a fact holds of."""

    source: str
    kind: str
    code: str
    rank: int | None
    indicators: int


class AbsentRow(NamedTuple):
    """National values that a source does not give, for one reason; codes separated by spaces."""

    source: str
    reason: str
    indicators: str


class WithheldRow(NamedTuple):
    """Withheld cells of a source by reason."""

    source: str
    reason: str
    cells: int
    of_cells: int


class CountRow(NamedTuple):
    """A count, rate or ratio of a service."""

    ref_area: str
    service: str
    measure: str
    title: str
    unit: str
    note: str | None
    time_period: str
    sex: str
    age: str
    breakdown: str
    code: str
    label: str | None
    value: float | None
    obs_status: str
    reason: str | None
    deviation: str | None


class AnswerRow(NamedTuple):
    """An answer on the national framework."""

    ref_area: str
    time_period: str
    pillar: str
    item: str
    question: str
    answer: str
    in_force: int | None
    body: str | None
    evidence: str | None


class ScoreRow(NamedTuple):
    """The score of a pillar."""

    ref_area: str
    time_period: str
    pillar: str
    score: float | None
    items: int
    answered: int
    not_applicable: int


class OfficialRow(NamedTuple):
    """A submission of counts or answers."""

    ref_area: str
    kind: str
    title: str | None
    organisation: str
    time_period: str
    already_public: str | None


_WITHHELD = """
SELECT source, reason, sum(cells)::BIGINT AS cells,
  (
    SELECT count(*)
    FROM indicator_value AS cell
    WHERE cell.source = suppression.source AND cell.standardised = 'N'
  ) AS of_cells
FROM suppression
GROUP BY ALL
ORDER BY source, cells DESC, reason
"""
_COUNTS = """
SELECT value.*, service, measure.title, measure.unit, note, breakdown.label
FROM administrative_value AS value
JOIN measure USING (measure)
LEFT JOIN breakdown ON breakdown.breakdown = value.breakdown AND breakdown.code = value.code
ORDER BY ref_area, service, measure, time_period DESC, sex <> '_T', sex, age <> '_T', age,
  value.code <> '_T', value.breakdown, value.code, source
"""
_NEWEST_ANSWERS = """
FROM {table}
QUALIFY time_period = max(time_period) OVER (PARTITION BY ref_area)
ORDER BY ref_area, {order}, source
"""
_SOURCES = "FROM source ORDER BY ref_area, time_period DESC, survey, source"
_OFFICIAL = "FROM official_source ORDER BY ref_area, kind, time_period DESC, source"


@dataclass(frozen=True)
class OfficialRows:
    """Counts and answers by country. One without any is absent."""

    counts: Rows[CountRow]
    answers: Rows[AnswerRow]
    scores: Rows[ScoreRow]
    sources: Rows[OfficialRow]


@dataclass(frozen=True)
class CountryRows:
    """Rows by country, by source where they are of a source. One without any is absent."""

    profile: Rows[Value]
    gaps: Rows[GapRow]
    changes: Rows[ChangeRow]
    trends: Rows[TrendRow]
    sources: Rows[SourceRow]
    quality: Rows[QualityRow]
    absent: Rows[AbsentRow]
    withheld: Rows[WithheldRow]
    official: OfficialRows
    titles: Rows[TitleRow]
    evidence: Mapping[str, str]


def country_rows(content: Content) -> CountryRows:
    """Return what the tables of a release say of its countries."""

    def rows(query: str, kind: type[Row], by: str = "ref_area") -> Rows[Row]:
        return grouped(content.rows(query, kind), by)

    return CountryRows(
        profile=grouped(chain.from_iterable(content.newest.values()), "ref_area"),
        gaps=rows(_file("gaps"), GapRow),
        changes=rows(_file("changes"), ChangeRow),
        trends=rows(_file("trends"), TrendRow),
        sources=rows(_SOURCES, SourceRow),
        quality=rows(_file("quality"), QualityRow, "source"),
        absent=rows(_file("absent"), AbsentRow, "source"),
        withheld=rows(_WITHHELD, WithheldRow, "source"),
        official=official_rows(content),
        titles=rows("FROM label WHERE kind = 'source' ORDER BY code, language", TitleRow, "code"),
        evidence=dict(content.rows("FROM comparability", EvidenceRow)),
    )


def official_rows(content: Content) -> OfficialRows:
    """Return what the tables of a release say of counts and answers."""

    def rows(query: str, kind: type[Row]) -> Rows[Row]:
        return grouped(content.rows(query, kind), "ref_area")

    return OfficialRows(
        counts=rows(_COUNTS, CountRow),
        answers=rows(_NEWEST_ANSWERS.format(table="policy_answer", order="item"), AnswerRow),
        scores=rows(_NEWEST_ANSWERS.format(table="policy_score", order="pillar"), ScoreRow),
        sources=rows(_OFFICIAL, OfficialRow),
    )


def _file(name: str) -> str:
    text = Path(__file__).with_name(f"country_{name}.sql").read_text("utf-8")
    return Template(text).substitute(total=_TOTAL)
