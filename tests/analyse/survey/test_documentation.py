"""The examples of `docs/estimate.md` give what the page says."""

from __future__ import annotations

import doctest
from pathlib import Path

from copstats.analyse.survey.result import NOTES


def test_the_examples_run(root: Path) -> None:
    page = root / "docs" / "estimate.md"
    result = doctest.testfile(str(page), module_relative=False, optionflags=doctest.REPORT_NDIFF)
    assert result.attempted >= 6
    assert result.failed == 0


def test_every_note_is_explained(root: Path) -> None:
    text = (root / "docs" / "estimate.md").read_text("utf-8")
    assert [note for note in NOTES if f"| `{note}` |" not in text] == []
