"""What a report holds, in the reader's language and in no format yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from copstats.language import Translations


@dataclass(frozen=True)
class Paragraph:
    """A paragraph.

    Attributes:
        text: without markup.
        quiet: a note that stands back behind the text.
    """

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list without order."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table with one row of headings; the first cell of every row is its heading.

    Attributes:
        caption: without a number; the format counts.
        head: headings of the columns.
        rows: cells as they are shown.
        texts: columns, from 0, that hold words and not numbers; the first always does.
        strong: rows, from 0, that sum up others.
        widths: share of each column in the width of the page; equal ones by default.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[int] = frozenset()
    strong: frozenset[int] = frozenset()
    widths: Sequence[float] = ()

    def is_text(self, column: int) -> bool:
        """Whether a column holds words."""
        return column == 0 or column in self.texts


@dataclass(frozen=True)
class Figure:
    """A chart.

    Attributes:
        caption: without a number.
        description: what the chart shows, for readers who do not see it.
        spec: of ``copstats.disseminate.charts``.
    """

    caption: str
    description: str
    spec: Any


Block = Paragraph | Bullets | Table | Figure


@dataclass(frozen=True)
class Section:
    """A part of a report under a heading.

    Attributes:
        title: the heading.
        blocks: in order.
        sections: parts of it, one level down.
        wide: its tables need the long side of the page.
    """

    title: str
    blocks: Sequence[Block]
    sections: Sequence[Section] = ()
    wide: bool = False


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        kind: what it is, above the title.
        title: its title.
        subtitle: release and date.
        publisher: who publishes it; empty where not stated.
        contact: for questions; empty where not stated.
        subject: for the properties of a file.
        date: that the report bears; None where the label of the release names no quarter.
        notes: that stand before everything else, for example that the translation is unreviewed.
        sections: in order.
        words: its language.
    """

    kind: str
    title: str
    subtitle: str
    publisher: str
    contact: str
    subject: str
    date: dt.date | None
    notes: Sequence[str]
    sections: Sequence[Section]
    words: Translations

    def numbered(self) -> Iterator[tuple[str, int, Section]]:
        """Yield number (``2.1``), level (from 1) and section of all sections, in order."""
        for first, section in enumerate(self.sections, start=1):
            yield f"{first}", 1, section
            for second, part in enumerate(section.sections, start=1):
                yield f"{first}.{second}", 2, part

    def figures(self) -> list[Figure]:
        """Return all charts, in order."""
        return [block for _, _, part in self.numbered() for block in part.blocks if isinstance(block, Figure)]
