"""A later version of the framework for the tests: a copy, edited as text."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "cop-2026", "cop-2026.1"

Edits = Mapping[str, list[tuple[str, str]]]
"""File below the version's folder -> texts and what takes their place."""


def copied_project(folder: Path) -> Path:
    """Copy the framework and the indicators into a folder and return it."""
    shutil.copytree(ROOT / "schemas" / OLD, folder / "schemas" / OLD)
    shutil.copytree(ROOT / "indicators", folder / "indicators")
    return folder


def add_version(
    project: Path, edits: Edits, declared: str | None = "", *, new: str = NEW, old: str = OLD
) -> Path:
    """Add a version that follows another one; ``declared`` stands in changes.yaml below ``follows``."""
    folder = project / "schemas" / new
    shutil.copytree(
        project / "schemas" / old, folder, ignore=shutil.ignore_patterns("translations", "changes.yaml")
    )
    edit(folder / "framework.yaml", f"id: {old}\n", f"id: {new}\n")
    for name, texts in edits.items():
        for before, after in texts:
            edit(folder / name, before, after)
    if declared is not None:
        (folder / "changes.yaml").write_text(f"follows: {old}\n{declared}", "utf-8")
    return folder


def edit(path: Path, before: str, after: str) -> None:
    """Replace a text that stands once in a file."""
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {path.name}"
    path.write_text(text.replace(before, after), "utf-8")


def own_indicator(project: Path, code: str, before: str, after: str, *, version: str = NEW) -> None:
    """Give a version an indicator file of its own, edited."""
    (common,) = (project / "indicators").rglob(f"{code}.yaml")
    target = project / "schemas" / version / "indicators" / f"{code}.yaml"
    target.parent.mkdir(exist_ok=True)
    target.write_text(common.read_text("utf-8"), "utf-8")
    edit(target, before, after)
