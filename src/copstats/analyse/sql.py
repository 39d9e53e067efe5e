"""Renders the ``.sql`` files of this package; what is rendered is what runs and what is printed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

_BLOCK = re.compile(r"^ *-- each measure\n(.*?)^ *-- end\n", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^(.*\{m\}.*\n)", re.MULTILINE)


def render(step: str, measures: Sequence[str] = (), **parts: str) -> str:
    """Return the SQL of a step.

    Lines between ``-- each measure`` and ``-- end``, and any other line with ``{m}``, are repeated for every
    measure; ``${name}`` is replaced by a part.

    Args:
        step: file name without ``.sql``.
        measures: column-safe names of measures.
        **parts: SQL fragments by name.
    """

    def repeated(found: re.Match[str]) -> str:
        return "".join(found[1].replace("{m}", name) for name in measures)

    text = _LINE.sub(repeated, _BLOCK.sub(repeated, _text(step)))
    return Template(text).substitute(parts).strip()


@cache
def _text(step: str) -> str:
    return Path(__file__).with_name(f"{step}.sql").read_text("utf-8")


def indented(lines: Sequence[str], spaces: int = 4) -> str:
    """Return list entries of SQL, one a line."""
    return (",\n" + " " * spaces).join(lines)
