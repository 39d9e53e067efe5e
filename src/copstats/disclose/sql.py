"""Renders the ``.sql`` files of this package; what is rendered is what runs."""

from __future__ import annotations

from pathlib import Path
from string import Template


def render(step: str, **parts: str) -> str:
    """Return the SQL of a step with ``${name}`` replaced by a part."""
    return Template(Path(__file__).with_name(f"{step}.sql").read_text("utf-8")).substitute(parts)
