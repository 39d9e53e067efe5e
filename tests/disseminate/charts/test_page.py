"""The examples of docs/charts.md run, and every function of the library is named there."""

from __future__ import annotations

import re
from pathlib import Path

from copstats.disseminate import charts

PAGE = (Path(__file__).parents[3] / "docs" / "charts.md").read_text("utf-8")


def test_the_examples_run() -> None:
    said: dict[str, object] = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(example, said)  # noqa: S102 - text of this repository
    assert str(said["svg"]).startswith("<svg ")
    assert bytes(said["png"]).startswith(b"\x89PNG")  # type: ignore[call-overload]


def test_the_page_names_every_function() -> None:
    for name in charts.__all__:
        if name[0].islower():
            assert f"`{name}" in PAGE, name
