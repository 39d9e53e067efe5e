"""Writes the folder of reports, with a note on which of its files may leave the office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

from copstats.framework import Framework
from copstats.framework.export.output import folder as made
from copstats.language import Translations
from copstats.process.check import CheckResult
from copstats.process.pictures import Pictures
from copstats.process.reports.places import Place
from copstats.process.reports.texts import EXCHANGE, PAGE, README, SHEETS, SUMMARY, verdict


def write_reports(
    result: CheckResult,
    framework: Framework,
    words: Translations,
    folder: Path,
    *,
    pictures: Pictures | None = None,
    summary: bytes | None = None,
    places: Mapping[str, Place] | None = None,
    time: dt.datetime | None = None,
) -> list[Path]:
    """Write the reports of a check; files of an earlier check are replaced.

    The same check gives the same bytes: no report holds the time at which it was written.

    Args:
        result: what came of the check.
        framework: that it was checked against.
        words: language of the reports.
        folder: where to write; made if it is not there.
        pictures: see `copstats.process.pictures.pictures`; None leaves them out.
        summary: content of ``summary.json``, the only file that may leave the country; None leaves it out.
        places: see `copstats.process.reports.places.places`; without it no cell of a workbook is named.
        time: of the check, for the validation report; see `exchange.validation_report`.

    Returns:
        The files written, the page first.

    Raises:
        UsageError: U143, the folder is a file.
    """
    from copstats.process.reports.exchange import validation_report
    from copstats.process.reports.page import page
    from copstats.process.reports.sheets import workbook

    where = places or {}
    contents = {
        PAGE: page(result, framework, words, where, pictures).encode(),
        SHEETS: workbook(result, words, where),
        EXCHANGE: validation_report(result, framework, words, where, time=time),
    }
    if summary is not None:
        contents[SUMMARY] = summary
    contents[README] = "\n".join(_readme(result, words, summary is not None)).encode()
    target = made(folder)
    (target / SUMMARY).unlink(missing_ok=True)
    for name, content in contents.items():
        (target / name).write_bytes(content)
    return [target / name for name in contents]


def _readme(result: CheckResult, words: Translations, summary: bool) -> Iterator[str]:
    yield words.text("Check of {submission}", submission=result.submission_id)
    yield ""
    yield verdict(result, words)
    yield ""
    yield words.text("Keep these files where you keep the data, and do not send them by e-mail:")
    yield words.text("{file}: the report, to be read in a browser or printed", file=PAGE)
    yield words.text("{file}: every finding, to sort and filter in a spreadsheet", file=SHEETS)
    yield words.text("{file}: the same for programs, in the structure of Eurostat", file=EXCHANGE)
    yield words.text(
        "They hold no answers, but numbers of records, and these lead to children's answers in your file."
    )
    yield ""
    if summary:
        yield words.text("This file may leave your office:")
        yield words.text(
            "{file}: counts and rounded shares; no record, no key, no small number", file=SUMMARY
        )
    else:
        yield words.text("None of these files may leave your office.")
    if words.notice:
        yield ""
        yield words.notice
    yield ""
