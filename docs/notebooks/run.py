"""Runs ten_questions.ipynb on the release of the demo and keeps what it answers.

    copstats demo --home HOME
    python docs/notebooks/run.py HOME/releases/2026-Q4

The notebook in the repository holds the answers of that release; a test compares them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("ten_questions.ipynb")


def executed(release: Path) -> nbformat.NotebookNode:
    """Run the notebook in the folder of a release.

    Returns:
        The notebook with its outputs, and with nothing that differs between two runs.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    options = {"record_timing": False, "resources": {"metadata": {"path": str(release)}}}
    NotebookClient(notebook, kernel_name="python3", timeout=120, **options).execute()
    notebook.metadata.language_info = {"name": "python"}
    return notebook


if __name__ == "__main__":
    nbformat.write(executed(Path(sys.argv[1])), NOTEBOOK)
