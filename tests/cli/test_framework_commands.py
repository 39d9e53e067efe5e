"""The framework's commands as a planner runs them: in her language, for people and for machines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from copstats.exports import FORMATS


def copstats(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "copstats", "framework", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_variable_is_shown_in_the_language_asked_for() -> None:
    shown = copstats("show", "rct_met", "--language", "fr")
    assert shown.returncode == 0, shown.stderr
    assert "Préfère ne pas répondre" in shown.stdout
    assert "relue par une personne" in shown.stdout


def test_an_unknown_name_is_a_usage_error() -> None:
    assert copstats("show", "rct_nothing").returncode == 2


def test_indicators_are_listed_in_arabic() -> None:
    listed = copstats("list", "--indicators", "--json", "--language", "ar")
    titles = json.loads(listed.stdout)["indicators"]
    assert all(any("\u0600" <= letter <= "\u06ff" for letter in title) for title in titles.values())


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_is_exported(format_: str, tmp_path: Path) -> None:
    target = tmp_path / "out"
    done = copstats(
        "export", format_, "-o", str(target), "--modules", "access,contact", "--language", "es", "--json"
    )
    assert done.returncode == 0, done.stderr
    files = [Path(name) for name in json.loads(done.stdout)["files"]]
    assert files
    assert all(path.is_file() and path.stat().st_size > 100 for path in files)


def test_an_unknown_module_and_version_are_usage_errors(tmp_path: Path) -> None:
    assert copstats("export", "codebook", "-o", str(tmp_path), "--modules", "nothing").returncode == 2
    assert copstats("diff", "cop-2026", "cop-1999").returncode == 2


def test_a_version_does_not_differ_from_itself() -> None:
    same = copstats("diff", "cop-2026", "cop-2026", "--json")
    assert same.returncode == 0, same.stderr
    assert json.loads(same.stdout)["changes"] == []


def test_sample_size_and_back() -> None:
    wanted = copstats("sample-size", "-p", "0.5", "--margin", "0.05", "--json")
    (size,) = json.loads(wanted.stdout)["results"]
    # Cochran (1977), section 4.4: n0 = 1.96^2 * 0.25 / 0.05^2, the 385 of every textbook.
    assert size["valid_answers"] == 385
    back = copstats("sample-size", "-p", "0.5", "--children", "385", "--json")
    (precision,) = json.loads(back.stdout)["results"]
    assert precision["margin"] == pytest.approx(0.05, abs=2e-4)
    assert copstats("sample-size", "-p", "1.5").returncode == 2


@pytest.mark.reference
def test_assess_names_the_columns_of_a_real_file(shared: Path, tmp_path: Path) -> None:
    target = tmp_path / "proposed.yaml"
    done = copstats(
        "assess", str(shared / "data" / "yrbs" / "yrbs2019.sav"), "--json", "--crosswalk", str(target)
    )
    assert done.returncode == 0, done.stderr
    text = json.dumps(json.loads(done.stdout))
    for column in ("Q24", "Q1", "Q2", "weight", "stratum", "psu"):
        assert f'"{column}"' in text
    assert "Q24" in target.read_text("utf-8")
