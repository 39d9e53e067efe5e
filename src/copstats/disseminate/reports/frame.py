"""What every chapter of a report works with: the facts, the words of a language, and how charts are made."""

from __future__ import annotations

import math
from collections.abc import Sequence

from copstats.disseminate.charts import Bar, Mark, Style, bar_chart, interval_chart, reading_aid
from copstats.disseminate.reports.document import Figure
from copstats.disseminate.reports.facts import Facts
from copstats.disseminate.site.names import Names
from copstats.disseminate.site.reading import Value
from copstats.language import Translations

WIDTH = 640
"""Of charts, in pixels at scale 1."""
MOST_ROWS = 30
"""Of one chart, which is to fit on a page."""
DASH = "\u2013"


class Frame:
    """Facts and words of one report.

    Args:
        facts: of the release.
        words: language of the report.
    """

    def __init__(self, facts: Facts, words: Translations) -> None:
        self.facts = facts
        self.words = words
        self.names = Names(facts.content, words)
        self.text = words.text

    def count(self, number: int) -> str:
        """Return a whole number."""
        return self.words.number(number)

    def share(self, part: float, whole: float = 1) -> str:
        """Return a share in per cent, or a dash where there is no whole."""
        if not whole:
            return DASH
        return self.text("{share} %", share=self.words.number(100 * part / whole))

    def colon(self, label: str, value: str) -> str:
        """Join a label and what it says."""
        return self.text("{label}: {value}", label=label, value=value)

    def criterion(self, code: str) -> str:
        """Return the criterion that a code of ``comparability_reasons`` stands for."""
        return self.names.reasons(code)[0]

    def lower_first(self, label: str) -> str:
        """Return a label as it stands within a sentence; acronyms keep their capitals."""
        is_word = len(label) > 1 and label[1].islower()
        return label[0].lower() + label[1:] if self.words.language == "en" and is_word else label

    def value(self, row: Value) -> str:
        """Return a published value with its marks of reliability and class; or the sign of the reason."""
        if row.value is None:
            return self.sign(row.reason)
        weak = "*" if row.obs_status == "U" else ""
        grade = f" {row.comparability}" if row.comparability not in ("A", None) else ""
        return self.names.number(row.value) + weak + grade

    def sign(self, reason: str | None) -> str:
        """Return what stands in a table for a value that there is not."""
        known = self.facts.published.profile.reasons.get(reason or "unknown")
        return self.text(known.sign) if known else "(?)"

    def legend(self, reasons: Sequence[str | None]) -> str:
        """Return what the signs of these reasons mean; empty without any."""
        said: dict[str, list[str]] = {}
        for code, reason in self.facts.published.profile.reasons.items():
            if code in reasons:
                said.setdefault(self.text(reason.sign), []).append(self.text(reason.label))
        return "; ".join(self.colon(sign, ", ".join(labels)) for sign, labels in said.items())

    def bars(self, name: str, caption: str, bars: Sequence[Bar], axis: str) -> Figure:
        """Return a chart of counts; its description lists them."""
        description = self.words.listing([self._bar(bar) for bar in bars])
        style = self._style(name, caption, description, axis)
        return Figure(caption, description, bar_chart(bars, style))

    def intervals(
        self,
        name: str,
        caption: str,
        marks: Sequence[Mark],
        axis: str,
        reference: tuple[float, str] | None = None,
    ) -> list[Figure]:
        """Return charts of values with their intervals, highest first; one as a rule.

        Args:
            name: of the chart, unique in the report.
            caption: below it.
            marks: at least one.
            axis: what is measured, with its unit.
            reference: value and name of a line across all rows.
        """
        ordered = sorted(marks, key=lambda mark: -mark.value)
        rows = math.ceil(len(ordered) / math.ceil(len(ordered) / MOST_ROWS))
        parts = [ordered[at : at + rows] for at in range(0, len(ordered), rows)]
        out = []
        for number, part in enumerate(parts, start=1):
            several = {"caption": caption, "part": number, "parts": len(parts)}
            titled = self.text("{caption} ({part} of {parts})", **several) if len(parts) > 1 else caption
            out.append(self._interval(f"{name}-{number}", titled, part, axis, reference))
        return out

    def _interval(
        self, name: str, caption: str, ordered: Sequence[Mark], axis: str, reference: tuple[float, str] | None
    ) -> Figure:
        ends = [self._mark(mark) for mark in (ordered[0], ordered[-1])]
        description = self.text("Highest: {first}. Lowest: {last}.", first=ends[0], last=ends[1])
        description += " " + reading_aid(self.words, weak=any(mark.weak for mark in ordered))
        style = self._style(name, caption, description, axis)
        value, label = reference or (None, "")
        spec = interval_chart(ordered, style, value, label, order="given")
        return Figure(caption, description, spec)

    def _style(self, name: str, caption: str, description: str, axis: str) -> Style:
        return Style(self.words.language, WIDTH, axis, name, title=caption, description=description)

    def _bar(self, bar: Bar) -> str:
        label = f"{bar.label}, {bar.group}" if bar.group else bar.label
        return self.text("{label}: {value}", label=label, value=self.count(round(bar.value)))

    def _mark(self, mark: Mark) -> str:
        return self.text("{label}, {value}", label=mark.label, value=self.names.number(mark.value))
