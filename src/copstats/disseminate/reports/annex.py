"""Annexes: the table of values, and the method in half a page."""

from __future__ import annotations

from copstats.disseminate.reports.document import Block, Paragraph, Section, Table
from copstats.disseminate.reports.frame import DASH, Frame
from copstats.framework.aggregation import load_aggregation

COLUMNS = 14
"""Indicators of one table."""


def values(frame: Frame) -> Section:
    """Return the annex with the newest national values of the headline indicators."""
    text, facts = frame.text, frame.facts
    indicators = [code for code in facts.headlines.values() if facts.newest(code)]
    cells = {(row.ref_area, row.indicator): row for code in indicators for row in facts.newest(code)}
    areas = sorted({area for area, _ in cells}, key=frame.names.area)
    blocks: list[Block] = []
    for start in range(0, len(indicators), COLUMNS):
        codes = indicators[start : start + COLUMNS]
        head = [text("Country or area"), *codes]
        rows = [
            [
                frame.names.area(area),
                *(frame.value(cells[area, code]) if (area, code) in cells else DASH for code in codes),
            ]
            for area in areas
        ]
        rest = 0.76 / COLUMNS
        blocks.append(
            Table(
                text("Newest national values of headline indicators"),
                head,
                rows,
                widths=(1 - rest * len(codes), *[rest] * len(codes)),
            )
        )
    if not blocks:
        return Section(
            text("Annex: table of values"), [Paragraph(text("The release holds no values of surveys."))]
        )
    titles = "; ".join(frame.colon(code, frame.names.indicator(code)) for code in indicators)
    blocks.append(Paragraph(titles + ".", quiet=True))
    legend = frame.legend([row.reason for row in cells.values() if row.value is None])
    marks = text(
        "B, C: class of comparability, A where there is no mark. *: low reliability. {dash}: no data.",
        dash=DASH,
    )
    blocks.append(Paragraph(f"{marks} {legend}".strip(), quiet=True))
    return Section(text("Annex: table of values"), blocks, wide=True)


def method(frame: Frame) -> Section:
    """Return the method in half a page."""
    text, published = frame.text, frame.facts.published
    rules, head = load_aggregation(published.framework.id), published.framework.head
    thresholds = published.profile.thresholds
    paragraphs = [
        text(
            "Values are estimates from sample surveys of children that statistics offices carried out, by "
            "the definitions of the framework “{framework}”, version {version}. Weights, strata and "
            "clusters of each sample enter the estimate and its standard error (Taylor linearisation, or "
            "replicate weights where a country gives them). Intervals are of 95 %.",
            framework=text(head.title),
            version=head.version,
        ),
        text(
            "Every value has a class of comparability, that of its worst criterion: A comparable, B with "
            "caution, C not comparable. What is not known is never of class A. Values of class C are "
            "compared with no others."
        ),
        text(
            "Regional values are means of countries, weighted by their children. There is one where at "
            "least {countries} countries with {coverage} % of the children have a value of class A or B "
            "that is no more than {years} years old.",
            countries=frame.count(int(rules.minimum_countries.value)),
            coverage=frame.words.number(100 * rules.minimum_coverage.value),
            years=frame.count(int(rules.oldest.value)),
        ),
        text(
            "Values are rounded, and withheld where a child could be recognised: below {general} valid "
            "answers, {sensitive} for sensitive indicators, and by further rules of the disclosure profile "
            "{profile}. Numbers of children asked are published as bands.",
            general=frame.count(int(thresholds.minimum_n.tiers["A"])),
            sensitive=frame.count(int(thresholds.minimum_n.tiers["B"])),
            profile=f"{published.profile.id} {published.profile.version}",
        ),
        text(
            "Counts of services and answers on policy come from administrative sources. They are published "
            "beside the surveys and never combined with them."
        ),
    ]
    return Section(text("Annex: method"), [Paragraph(paragraph) for paragraph in paragraphs])
