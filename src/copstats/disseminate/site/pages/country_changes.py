"""Changes between rounds of a survey in a country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from copstats.disseminate.charts import Point, Series, Spec, Style, trend_chart
from copstats.disseminate.site.names import Names
from copstats.disseminate.site.pages.arranging import extent
from copstats.disseminate.site.pages.country_rows import ChangeRow, TrendRow
from copstats.disseminate.site.pages.country_texts import SAMPLES
from copstats.disseminate.site.pages.indicator import NARROW
from copstats.language import Translations

_SERIES = 5
"""Most indicators in a chart: more lines cannot be told apart."""


class ChangeTable(NamedTuple):
    """Two rounds: the changes, their largest limit, and the indicators without one by reason.

    ``without`` has reason, what keeps the rounds from being comparable, and the indicators.
    """

    survey: str
    first: str
    second: str
    samples: Sequence[str]
    rows: Sequence[ChangeRow]
    extent: float
    without: Sequence[tuple[str, Sequence[str], Sequence[str]]]


def tables(rows: Sequence[ChangeRow], names: Names, words: Translations) -> list[ChangeTable]:
    """Return a table for each two consecutive rounds, the newest first."""
    out = []
    for (survey, second, first), pair in groupby(
        rows, key=lambda row: (row.survey, row.time_period_to, row.time_period_from)
    ):
        of_pair = list(pair)
        shown = [row for row in of_pair if row.change is not None]
        samples = [words.text(SAMPLES[code]) for code in sorted({r.samples for r in shown if r.samples})]
        reach = extent([limit for row in shown for limit in (row.ci_lower, row.ci_upper)])
        out.append(ChangeTable(survey, first, second, samples, shown, reach, _without(of_pair, names)))
    return out


def charts(
    changes: Sequence[ChangeRow], values: Sequence[TrendRow], names: Names, words: Translations
) -> Mapping[str, Spec]:
    """Return the chart of the indicators whose newest change is surest; none without a change."""
    title = words.text("Indicators whose latest change is surest")
    sure = sorted((r for r in changes if r.change is not None and r.p is not None), key=_surest)
    chosen = list(dict.fromkeys((row.survey, row.indicator) for row in sure))[:_SERIES]
    if not chosen:
        return {}
    breaks = {
        (row.survey, row.indicator, row.time_period_to) for row in changes if row.reason == "not_comparable"
    }
    series = [
        Series(
            names.indicator(indicator),
            [
                _point(value, (survey, indicator, value.time_period) in breaks)
                for value in values
                if (value.survey, value.indicator) == (survey, indicator)
            ],
        )
        for survey, indicator in chosen
    ]
    style = Style(
        language=words.language,
        name="trend",
        axis_title=words.text("Per cent"),
        title=title,
        description=words.text("The table below the chart has the same figures."),
    )
    narrow = replace(style, name="trend-narrow", width=NARROW)
    return {one.name: trend_chart(series, one) for one in (style, narrow)}


def _surest(row: ChangeRow) -> tuple[int, float, str]:
    return (-int(row.time_period_to), row.p or 0.0, row.indicator)


def _point(value: TrendRow, broken: bool) -> Point:
    year, weak = int(value.time_period), value.obs_status == "U"
    return Point(year, value.value, value.ci_lower, value.ci_upper, weak=weak, broken=broken)


def _without(rows: Sequence[ChangeRow], names: Names) -> list[tuple[str, list[str], list[str]]]:
    indicators: dict[str, list[str]] = {}
    keeps: dict[str, set[str]] = {}
    for row in rows:
        if row.change is None:
            reason = row.reason or ""
            indicators.setdefault(reason, []).append(row.indicator)
            if reason == "not_comparable":
                keeps.setdefault(reason, set()).update(names.reasons(row.comparability_reasons))
    return [(reason, sorted(keeps.get(reason, ())), codes) for reason, codes in sorted(indicators.items())]
