"""The notebook of ten questions holds what it answers on the release of the demo."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from docs.notebooks.run import NOTEBOOK, executed
from tests.journey.conftest import Run


def answers(notebook: nbformat.NotebookNode) -> dict[str, list[str]]:
    """Return the text of the output of each question: how a table is set as HTML is pandas' affair."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and "ask(" in cell.source]
    return {cell.source: [output.data["text/plain"] for output in cell.outputs] for cell in cells}


def test_the_answers_are_those_of_the_demo(
    demo: Run, demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demo.status == 0
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # the kernel keeps a history there
    (release,) = (demo_home / "releases").iterdir()
    found = answers(executed(release))
    assert found == answers(nbformat.read(NOTEBOOK, as_version=4))


def test_ten_questions_each_have_one_short_query_and_an_answer() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    asked = {query: said for query, said in answers(notebook).items() if "def ask" not in query}
    headings = [cell.source for cell in notebook.cells if cell.source.startswith("## ")]
    assert len(headings) == len(asked) == 10
    assert all(len(query.splitlines()) <= 10 for query in asked)
    assert all(len(said) == 1 and len(said[0].splitlines()) > 1 for said in asked.values())
