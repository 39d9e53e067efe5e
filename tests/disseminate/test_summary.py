from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from copstats.disseminate import countries_by_indicators

CODES = ("ACC1", "SKL5", "RCD4", "RCT3", "RSK1", "HRM1", "HLP5", "MED4")


def shown(release: Path, width: int) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(countries_by_indicators(release / "copstats.duckdb", CODES))
    return console.export_text()


@pytest.mark.parametrize("width", [60, 80, 160])
def test_it_fits_the_terminal(release: Path, width: int) -> None:
    text = shown(release, width)
    assert max(map(len, text.splitlines())) <= width
    for part in (*CODES, "Release 2026-Q4", "24.6 B", "22.3-27.2", "13.1  ", "55 C", "high", "(n)", ".."):
        assert part in text


def test_the_legend_explains_every_sign(release: Path) -> None:
    legend = shown(release, 80).partition("ACC1 Children")[2]
    for part in ("comparable with caution", "low reliability", "Too few valid answers", "All or nearly all"):
        assert part in legend
    assert "did not ask a question" in legend and "weighs too much" not in legend


def test_low_reliability_is_starred(release: Path) -> None:
    assert "*" in shown(release, 160).split("RSK1", maxsplit=1)[1].splitlines()[2]


def test_names_are_no_markup(release: Path) -> None:
    assert "=Belmora, with a" in shown(release, 80)
