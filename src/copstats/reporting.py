"""Reports of a home: the quarterly one, the note that a country gets, and what it sees before a release."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from copstats.errors import UsageError
from copstats.steps.received import received_submissions
from copstats.store.home import Home

if TYPE_CHECKING:
    import pyarrow as pa

    from copstats.disseminate.published import Published
    from copstats.disseminate.reports import Report
    from copstats.framework import Framework


_PREVIEWED = {"values": "indicator_value", "counts": "administrative_value", "answers": "policy_answer"}


@dataclass(frozen=True)
class Preview:
    """What a country may see of a prepared release.

    Attributes:
        label: of the release.
        area: ISO 3166-1 alpha-3.
        note: what the country will be told when it is published.
        tables: what is said of it: ``values``, ``counts`` and ``answers``, rows of ``indicator_value``,
            ``administrative_value`` and ``policy_answer``.
        framework: that defines them.
    """

    label: str
    area: str
    note: Report
    tables: Mapping[str, pa.Table]
    framework: Framework

    def files(self) -> dict[str, bytes]:
        """Return file name -> content: the note as DOCX and HTML, every table that has rows as CSV."""
        from copstats.disseminate.files import write_csv_table
        from copstats.disseminate.reports import report_files

        files = report_files(self.note, f"note-{self.area}-{self.label}-{self.note.words.language}")
        for name in self.with_rows:
            content = io.BytesIO()
            write_csv_table(content, self.tables[name])
            files[f"{name}-{self.area}-{self.label}.csv"] = content.getvalue()
        return files

    @property
    def with_rows(self) -> list[str]:
        """Names of the tables that say anything."""
        return [name for name, table in self.tables.items() if table.num_rows]


def write_quarterly(home_path: Path, quarter: str, target: Path, *, language: str = "en") -> list[Path]:
    """Write the quarterly report to the working group as DOCX and HTML.

    Args:
        home_path: the home folder.
        quarter: ``2026Q4``, or the label of a release; of a quarter the newest release is taken.
        target: folder; it is made if it is not there.
        language: of the report.

    Returns:
        Paths of the files written.

    Raises:
        UsageError: U400, no release of the quarter is published.
    """
    from copstats.disseminate.reports import quarterly_report

    home = Home.open(home_path)
    label = _label(home, quarter)
    published = _published(home, home.releases.folder(label))
    return _write(quarterly_report(published, language), target, f"quarterly-{label}-{language}")


def write_feedback(
    home_path: Path, quarter: str, area: str, target: Path, *, language: str = "en"
) -> list[Path]:
    """Write the note that a country gets after a release, as DOCX and HTML; see `write_quarterly`.

    Raises:
        UsageError: U400, no release of the quarter is published; U401, the area is not known.
    """
    home = Home.open(home_path)
    label = _label(home, quarter)
    return _note(home, home.releases.folder(label), area, target, language)


def write_preview(
    home_path: Path, label: str, area: str, target: Path, *, language: str = "en"
) -> list[Path]:
    """Write what a country may see of a prepared release: the note, and its values, counts, answers as CSV.

    Raises:
        ReleaseError: R094, none of this label is prepared.
        UsageError: U401, the area is not known.
    """
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in preview(home_path, label, area, language=language).files().items():
        paths.append(target / name)
        paths[-1].write_bytes(content)
    return paths


def preview(home_path: Path, label: str, area: str, *, language: str = "en") -> Preview:
    """Return what a country may see of a prepared release.

    Raises:
        ReleaseError: R094, none of this label is prepared.
        UsageError: U401, the area is not known.
    """
    import pyarrow.compute as pc

    from copstats.disseminate.reports import feedback_note

    home = Home.open(home_path)
    folder = home.prepared.folder(label)
    if area not in home.areas:
        raise UsageError("U401", where=area)
    published = _published(home, folder)
    whole = {name: published.tables[table] for name, table in _PREVIEWED.items()}
    tables = {name: table.filter(pc.equal(table["ref_area"], area)) for name, table in whole.items()}
    return Preview(label, area, feedback_note(published, area, language), tables, published.framework)


def _note(home: Home, folder: Path, area: str, target: Path, language: str) -> list[Path]:
    from copstats.disseminate.reports import feedback_note

    if area not in home.areas:
        raise UsageError("U401", where=area)
    note = feedback_note(_published(home, folder), area, language)
    return _write(note, target, f"note-{area}-{folder.name}-{language}")


def _write(report: Report, target: Path, name: str) -> list[Path]:
    from copstats.disseminate.reports import docx_bytes, html_text

    target.mkdir(parents=True, exist_ok=True)
    paths = [target / f"{name}.docx", target / f"{name}.html"]
    paths[0].write_bytes(docx_bytes(report))
    paths[1].write_text(html_text(report), "utf-8")
    return paths


def _published(home: Home, folder: Path) -> Published:
    from copstats.disseminate.published import Publisher, Reading, read_published

    publisher = Publisher(**structs.asdict(home.config.publisher))
    profile = home.config.disclosure_profile or None
    return read_published(folder, Reading(home.areas, publisher, received_submissions(home), profile))


def _label(home: Home, quarter: str) -> str:
    """Return the newest release of a quarter that is written ``2026Q4`` or ``2026-Q4``, or this label."""
    labels: Sequence[str] = home.releases.labels()
    wanted = quarter if "-" in quarter else f"{quarter[:4]}-{quarter[4:]}"
    found = [label for label in labels if label == quarter or label.startswith(wanted)]
    if not found:
        raise UsageError("U400", where=quarter, labels=", ".join(labels) or "-")
    return quarter if quarter in found else found[-1]
