"""Writes ``docs/errors.md`` from the error catalogue: ``python -m copstats.cli.errors_page``."""

from __future__ import annotations

from pathlib import Path

from copstats.errors import error_catalogue
from copstats.project import project_root

_FAMILIES = {
    "C": "Confidentiality: an invariant broke; stop, never retry (status 3)",
    "D": "Definitions: for those who maintain the framework (status 2)",
    "E": "Estimation: the design cannot support what was asked for (status 2)",
    "F": "Flows: a flow ended early (the status of the error behind it)",
    "R": "Releases (status 2)",
    "S": "Submissions: for the statistics office (status 2; S001 status 1)",
    "T": "Try again: a lock or storage (status 4)",
    "U": "The call: something that does not exist or is not in the right state (status 2)",
}
_HEAD = """# Errors

What stops a command, by code. Findings in the data are another matter: see [checks.md](checks.md). Words in
braces are names and counts that the message fills in; no message ever holds a cell's value.

This page is written by `python -m copstats.cli.errors_page`; a test holds it equal to the catalogue.
"""


def errors_page() -> str:
    """Return the page as Markdown."""
    catalogue = error_catalogue()
    lines = [_HEAD]
    for family, title in _FAMILIES.items():
        lines += [
            f"## {family}",
            "",
            f"{title}.",
            "",
            "| code | what | why | what to do |",
            "|---|---|---|---|",
        ]
        for code in sorted(c for c in catalogue if c.startswith(family)):
            entry = catalogue[code]
            cells = (
                entry[part].replace("|", "\\|").replace("\n", " ").strip()
                for part in ("title", "why", "hint")
            )
            lines.append(f"| {code} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    Path(project_root() / "docs" / "errors.md").write_text(errors_page(), "utf-8")
