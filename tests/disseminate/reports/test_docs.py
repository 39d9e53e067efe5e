"""The example of docs/reports.md runs on a release."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from copstats.disseminate.reports import Report

PAGE = (Path(__file__).parents[3] / "docs" / "reports.md").read_text("utf-8")


def test_the_example_writes_four_files(release: Path, tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    shutil.copytree(release, tmp_path / "releases" / "2026-Q4")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {
        f"{name}.{kind}" for name in ("quarterly-fr", "note-KEN-ar") for kind in ("docx", "html")
    }


def test_every_chapter_is_told_of(report: Report) -> None:
    told = re.findall(r"^\| ([A-Z][^|]+?) \|", PAGE, re.MULTILINE)
    titles = [part.title for part in report.sections if not part.title.startswith("Annex")]
    assert [name for name in told if name not in ("Chapter", "Annexes")] == titles
