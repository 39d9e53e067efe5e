"""Counts of services of a country, and its answers on the national framework."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from copstats.disseminate.site.names import Names
from copstats.disseminate.site.pages.country_rows import CountRow, OfficialRows, ScoreRow
from copstats.disseminate.site.pages.country_texts import ANSWERS, SERVICES
from copstats.language import Translations

_TOTAL, _UNKNOWN = "_T", "_U"
_SINGLE_AGE = re.compile(r"Y(\d+)")
_BAND = re.compile(r"Y(\d+)T(\d+)")
_OPEN_AGE = re.compile(r"Y_GE(\d+)")
_WEB = ("https://", "http://")


class Count(NamedTuple):
    """A figure of a service and of whom it is."""

    group: str
    row: CountRow


class Measure(NamedTuple):
    """A measure in its newest period."""

    title: str
    unit: str
    note: str
    period: str
    counts: Sequence[Count]


class Answer(NamedTuple):
    """An answer on the national framework; ``address`` of the evidence where it is one of the web."""

    question: str
    answer: str
    in_force: str
    body: str
    evidence: str
    address: str


class Pillar(NamedTuple):
    """A pillar of the national framework: its score and answers."""

    title: str
    score: ScoreRow | None
    answers: Sequence[Answer]


def parts(area: str, rows: OfficialRows, names: Names, words: Translations) -> dict[str, Any]:
    """Return what a template shows: services, pillars, the score of all items, the year and the sources."""
    scores = {row.pillar: row for row in rows.scores.get(area, ())}
    answers = rows.answers.get(area, ())
    pillars = [
        Pillar(
            words.text(pillar),
            scores.get(pillar),
            [_answer(row, words) for row in answers if row.pillar == pillar],
        )
        for pillar in dict.fromkeys(row.pillar for row in answers)
    ]
    return {
        "services": [
            (
                words.text(SERVICES[service]) if service in SERVICES else service,
                list(_measures(of_service, names, words)),
            )
            for service, of_service in groupby(rows.counts.get(area, ()), key=lambda row: row.service)
        ],
        "pillars": pillars,
        "score": scores.get(_TOTAL),
        "policy_year": answers[0].time_period if answers else "",
        "official": rows.sources.get(area, ()),
    }


def _measures(rows: Iterable[CountRow], names: Names, words: Translations) -> Iterable[Measure]:
    for _, of_measure in groupby(rows, key=lambda row: row.measure):
        counts = list(of_measure)
        first = counts[0]
        yield Measure(
            title=words.text(first.title),
            unit=words.text(first.unit),
            note=words.text(first.note) if first.note else "",
            period=first.time_period,
            counts=[
                Count(_group(row, names, words), row)
                for row in counts
                if row.time_period == first.time_period
            ],
        )


def _group(row: CountRow, names: Names, words: Translations) -> str:
    """Return in words of whom a count is."""
    labels = []
    if row.sex != _TOTAL:
        labels.append(words.text("Sex unknown") if row.sex == _UNKNOWN else names.code("sex", row.sex))
    if row.age != _TOTAL:
        labels.append(_age(row.age, words))
    if row.code != _TOTAL:
        other = words.text("Other or unknown")
        labels.append(other if row.code == _UNKNOWN else words.text(row.label) if row.label else row.code)
    return words.listing(labels) if labels else words.text("All")


def _age(code: str, words: Translations) -> str:
    if code == _UNKNOWN:
        return words.text("Age unknown")
    if found := _BAND.fullmatch(code):
        return words.ages(int(found[1]), int(found[2]))
    if found := _SINGLE_AGE.fullmatch(code):
        return words.text("Age {age}", age=found[1])
    if found := _OPEN_AGE.fullmatch(code):
        return words.text("Age {age} and older", age=found[1])
    return code


def _answer(row: Any, words: Translations) -> Answer:
    evidence = row.evidence or ""
    return Answer(
        question=words.text(row.question),
        answer=words.text(ANSWERS[row.answer]) if row.answer in ANSWERS else row.answer,
        in_force="" if row.in_force is None else str(row.in_force),
        body=row.body or "",
        evidence=evidence,
        address=evidence if evidence.startswith(_WEB) else "",
    )
