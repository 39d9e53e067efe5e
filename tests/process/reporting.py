"""A checked submission with faults, and its reports, for the tests of reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from copstats.framework import Framework
from copstats.language import translations
from copstats.process.check import CheckResult, check
from copstats.process.pictures import Pictures, pictures
from copstats.process.records import record_tables
from copstats.process.reports import Place, write_reports
from tests.process.material import Submission, clean_child, clean_parent, manifest

ID = "KEN_2026_COPS_v01_M"
CANARY = "CANARY-19/ß"
NATIONAL = "=HYPERLINK(1)"
PLACES = {"child": Place("Données 2026", {"NAT_SEX": 6, "NAT_SCORE": 27})}


def children(count: int = 60) -> list[dict[str, Any]]:
    random = np.random.default_rng(11)
    return [clean_child(number, random) for number in range(count)]


def faulty() -> list[dict[str, Any]]:
    rows = children()
    rows[0]["sex"] = 424242
    rows[1]["int_ym"] = CANARY
    rows[2] |= {"net_3m": 1, "net_age1": 5, "contact": 0, "met": 1, "age": 11, "ask": -7, "told": -7}
    rows[35]["sex"] = None
    rows[4]["share"] = -1.5
    for row in rows[10:30]:
        row["score"] = None
    return rows


def submitted(small: Framework, rows: list[dict[str, Any]], **how: Any) -> Submission:
    made = Submission().add(small, "child", rows, **how)
    random = np.random.default_rng(5)
    made.add(small, "parent", [clean_parent(number, random) for number in range(len(rows))])
    return made


def checked(
    small: Framework, rows: list[dict[str, Any]], *, at_most: int | None = None, **how: Any
) -> CheckResult:
    made = submitted(small, rows, **how)
    return check(made.connection, made, ID, small, manifest(), None, gate=False, at_most=at_most)


def drawn(small: Framework, rows: list[dict[str, Any]], **how: Any) -> Pictures:
    made = submitted(small, rows, **how)
    return pictures(made.connection, record_tables(small, manifest(), made, None), small)


def written(small: Framework, folder: Path, language: str = "en", **how: Any) -> dict[str, bytes]:
    """Write the reports of the faulty submission; return file name -> content."""
    named = {"not_taken_over": (NATIONAL, "+PLUS", "PHONE")}
    paths = write_reports(
        checked(small, faulty(), at_most=how.pop("at_most", None), **named),
        small,
        translations(language),
        folder,
        pictures=drawn(small, faulty(), **named),
        places=PLACES,
        **how,
    )
    return {path.name: path.read_bytes() for path in paths}
