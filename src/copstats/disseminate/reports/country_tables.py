"""Tables of the feedback note of a country."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from copstats.disseminate.charts import Mark
from copstats.disseminate.reports.advice import advice
from copstats.disseminate.reports.document import Block, Paragraph, Section, Table
from copstats.disseminate.reports.facts import COMPARABLE, REGIONS, Source, codes, frequent
from copstats.disseminate.reports.frame import DASH, Frame
from copstats.disseminate.reports.quality import stated
from copstats.disseminate.reports.results import clearest, is_clear, left_out, rounds
from copstats.disseminate.site.reading import Mean, Value
from copstats.framework.aggregation import WORLD

_MOST_CRITERIA = 3


def indicators(frame: Frame, rows: Sequence[Value]) -> Section:
    """Return the values of all indicators with their class and what keeps them from class A."""
    text, names = frame.text, frame.names
    head = [
        text("Indicator"),
        text("Year"),
        text("Value"),
        text("95 % interval"),
        text("Class"),
        text("What keeps it from class A, or why there is no value"),
    ]
    lines = [
        [
            f"{row.indicator} {names.indicator(row.indicator)}",
            row.time_period,
            names.number(row.value) + ("*" if row.obs_status == "U" else "")
            if row.value is not None
            else DASH,
            names.interval(row.ci_lower, row.ci_upper),
            row.comparability or "",
            "; ".join(names.reasons(row.comparability_reasons))
            if row.value is not None
            else names.code("reason", row.reason or ""),
        ]
        for row in rows
    ]
    if not lines:
        return Section(text("Values by indicator"), [Paragraph(text("There is none."))])
    table = Table(
        text("Newest national values"),
        head,
        lines,
        frozenset({1, 4, 5}),
        widths=(0.28, 0.07, 0.1, 0.15, 0.07, 0.33),
    )
    note = Paragraph(text("*: low reliability, to be read with its interval."), quiet=True)
    return Section(text("Values by indicator"), [table, note])


def raising(frame: Frame, shown: Sequence[Value]) -> list[Block]:
    """Return criterion by criterion what would bring values into class A."""
    text = frame.text
    found = frequent(code for row in shown for code in codes(row.comparability_reasons))
    if not found:
        return [Paragraph(text("All published values are of class A."))]
    alone = [codes(row.comparability_reasons) for row in shown]
    lines = [
        [
            frame.criterion(code),
            advice(frame, code),
            frame.count(number),
            frame.count(alone.count([code])),
        ]
        for code, number in found
    ]
    head = [
        text("Criterion"),
        text("What meets it"),
        text("Values"),
        text("Values that nothing else keeps from A"),
    ]
    return [
        Table(
            text("What would raise the class"), head, lines, frozenset({1}), widths=(0.27, 0.45, 0.12, 0.16)
        )
    ]


def most_frequent_advice(frame: Frame, shown: Sequence[Value]) -> list[str]:
    """Return what would raise the class of most values."""
    found = frequent(code for row in shown for code in codes(row.comparability_reasons))
    return [advice(frame, code) for code, _ in found[:_MOST_CRITERIA]]


def withheld(frame: Frame, area: str, rows: Sequence[Value]) -> list[Block]:
    """Return what disclosure control withheld, by kind, and which indicators the survey did not give."""
    text = frame.text
    cells: dict[str, int] = defaultdict(int)
    of: dict[str, set[str]] = defaultdict(set)
    for row in frame.facts.withheld:
        if row.ref_area == area:
            cells[row.reason] += row.cells
            of[row.reason].add(row.indicator)
    blocks: list[Block] = []
    if cells:
        lines = [
            [frame.names.code("reason", reason), frame.count(number), frame.count(len(of[reason]))]
            for reason, number in sorted(cells.items(), key=lambda item: (-item[1], item[0]))
        ]
        head = [text("Reason"), text("Cells"), text("Indicators")]
        blocks.append(
            Table(
                text("Cells that disclosure control withheld, all rounds"),
                head,
                lines,
                widths=(0.64, 0.18, 0.18),
            )
        )
        note = text(
            "A withheld cell protects children who answered. The numbers are those of the published table "
            "suppression."
        )
        blocks.append(Paragraph(note, quiet=True))
    else:
        blocks.append(Paragraph(text("Disclosure control withheld nothing.")))
    absent = frequent(row.reason or "" for row in rows if row.obs_status == "L")
    if absent:
        lines = [[frame.names.code("reason", reason), frame.count(number)] for reason, number in absent]
        head = [text("Reason"), text("Indicators")]
        blocks.append(
            Table(text("Indicators that the newest survey does not give"), head, lines, widths=(0.8, 0.2))
        )
    return blocks


def sample(frame: Frame, area: str) -> list[str]:
    """Return how many valid answers would have brought figures for withheld cells, if that is known."""
    bands = {row.n_band_needed for row in frame.facts.withheld if row.ref_area == area and row.n_band_needed}
    known = [band.code for band in frame.facts.published.profile.n_bands.bands if band.code in bands]
    if not known:
        return []
    said = frame.text(
        "Groups were withheld for too few valid answers. More answers in each group would show them; most "
        "need {band}.",
        band=frame.names.code("n_band", _commonest(frame, area, known)),
    )
    return [said]


def _commonest(frame: Frame, area: str, known: Sequence[str]) -> str:
    cells = {
        band: sum(
            row.cells for row in frame.facts.withheld if row.ref_area == area and row.n_band_needed == band
        )
        for band in known
    }
    return max(known, key=lambda band: cells[band])


def survey(frame: Frame, area: str) -> list[Block]:
    """Return the facts that the manifest of the newest survey states."""
    text = frame.text
    newest = next((row for row in frame.facts.newest_sources if row.ref_area == area), None)
    if newest is None:
        return [Paragraph(text("The release holds no survey of this country."))]
    head = [text("Fact"), text("As the manifest says")]
    caption = text("Survey of {year}", year=newest.time_period)
    return [Table(caption, head, _stated(frame, newest), frozenset({1}), widths=(0.42, 0.58))]


def _stated(frame: Frame, row: Source) -> list[list[str]]:
    text, words = frame.text, frame.words
    unknown = text("not stated")
    days = [words.date(day) for day in (row.fieldwork_start, row.fieldwork_end) if day]
    ages = (
        unknown
        if row.age_minimum is None or row.age_maximum is None
        else words.ages(row.age_minimum, row.age_maximum)
    )
    return [
        [text("Statistics office"), row.organisation or unknown],
        [text("Data collection"), f" {DASH} ".join(days) or unknown],
        [text("Children in the file"), frame.names.code("n_band", row.child_records or "") or unknown],
        [text("Ages"), ages],
        [text("Population"), stated(frame, "universe", row.universe)],
        [text("Coverage"), stated(frame, "coverage", row.coverage)],
        [
            text("Share of the population in the frame"),
            unknown if row.coverage_share is None else frame.share(row.coverage_share),
        ],
        [text("Sample"), stated(frame, "sampling", row.sampling)],
        [text("Where children were reached"), stated(frame, "setting", row.setting)],
        [text("Mode of data collection"), stated(frame, "mode", row.mode)],
        [text("Overall response"), unknown if row.response_rate is None else frame.share(row.response_rate)],
        [text("Custody of identities"), stated(frame, "custody", row.custody)],
    ]


def region(frame: Frame, shown: Sequence[Value]) -> list[Block]:
    """Return values of classes A and B beside the mean of the country's region."""
    text, names = frame.text, frame.names
    pairs = [(row, mean) for row in shown if row.comparability in COMPARABLE and (mean := _mean(frame, row))]
    if not pairs:
        note = text(
            "There is no regional value to compare with: too few countries of the region have comparable "
            "values, or the population of a member is not known."
        )
        return [Paragraph(note)]
    head = [
        text("Indicator"),
        text("This country"),
        text("95 % interval"),
        text("Group"),
        text("Mean of the group"),
    ]
    lines = [
        [
            f"{row.indicator} {names.indicator(row.indicator)}",
            names.number(row.value),
            names.interval(row.ci_lower, row.ci_upper),
            names.group(mean.scheme, mean.area_group),
            names.number(mean.value),
        ]
        for row, mean in pairs
    ]
    note = text(
        "The mean holds this country's own value too, and may be of earlier years. A difference is no "
        "ranking."
    )
    table = Table(
        text("Values beside the mean of the region"),
        head,
        lines,
        frozenset({3}),
        widths=(0.4, 0.13, 0.19, 0.13, 0.15),
    )
    return [table, Paragraph(note, quiet=True)]


def _mean(frame: Frame, row: Value) -> Mean | None:
    """Return the mean of the narrowest group with one: region, the publisher's groups, all areas."""
    groups = frame.facts.published.areas[row.ref_area].groups
    own = [scheme for scheme in groups if scheme != REGIONS]
    known = {
        mean.scheme: mean
        for mean in frame.facts.content.means.get(row.indicator, [])
        if mean.sex == "_T"
        and mean.value is not None
        and mean.area_group in (groups.get(mean.scheme), frame.facts.world)
    }
    return next((known[scheme] for scheme in (REGIONS, *own, WORLD) if scheme in known), None)


def changes(frame: Frame, area: str) -> list[Block]:
    """Return changes since the round before, as a chart and in a sentence."""
    text = frame.text
    rows = [row for row in frame.facts.changes if row.ref_area == area]
    known = [row for row in rows if row.change is not None]
    if not rows:
        return [Paragraph(text("There is no earlier round to compare with."))]
    if not known:
        return [Paragraph(text("The rounds are not comparable with each other, or values are missing."))]
    said = text(
        "Indicators compared: {all}; changes whose 95 % interval leaves out zero: {clear}; pairs without a "
        "change, because they are not comparable or a value is missing: {none}.",
        all=frame.count(len(known)),
        clear=frame.count(sum(map(is_clear, known))),
        none=frame.count(len(rows) - len(known)),
    )
    marks = [
        Mark(frame.names.indicator(row.indicator), row.change or 0, row.ci_lower, row.ci_upper, rounds(row))
        for row in clearest(list({row.indicator: row for row in known}.values()))
    ]
    caption = text("Change since the last round, with 95 % intervals")
    axis, line = text("Change in percentage points"), (0.0, text("no change"))
    charts = frame.intervals("changes", caption, marks, axis, line)
    return [Paragraph(said), *charts, *left_out(frame, len(known))]
