"""The tables of rules in docs/checks.md, generated from the rule book (``python -m`` this module)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from copstats.framework import Framework, load_framework
from copstats.framework.definitions import Rule, RuleClass
from copstats.project import project_root

BEGIN = "<!-- generated from rules.yaml: begin -->"
END = "<!-- generated from rules.yaml: end -->"


class _Names(dict[str, str]):
    """What stands in the page for a placeholder: its name in capitals, where nothing else is said."""

    def __missing__(self, name: str) -> str:
        return name.upper()


_NAMES = _Names({"label": "its label", "count": "N"})


def rule_tables(framework: Framework) -> str:
    """Return the rules of a framework as two Markdown tables: generated classes, rules written by hand."""
    book = framework.rules
    return "\n".join(
        [
            "### Rules that follow from the definitions",
            "",
            *_table(book.classes),
            "",
            "### Rules written by hand",
            "",
            *_table(book.rules),
        ]
    )


def _table(rules: Mapping[str, RuleClass] | Mapping[str, Rule]) -> list[str]:
    lines = ["| Rule | Severity | Level | What it says | Why | What to do |", "|---|---|---|---|---|---|"]
    for rule_id, rule in rules.items():
        texts = [
            text.format_map(_NAMES).strip().replace("|", r"\|")
            for text in (rule.message.what, rule.message.why, rule.message.fix)
        ]
        lines.append(f"| `{rule_id}` | {rule.severity} | {rule.level} | {' | '.join(texts)} |")
    return lines


def with_tables(page: str, framework: Framework) -> str:
    """Return the page with the tables between its marks replaced.

    Raises:
        ValueError: the page has no marks.
    """
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"the page has no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{rule_tables(framework)}\n\n{END}{after}"


def write_page(path: Path | None = None) -> Path:
    """Write the tables of the default framework into docs/checks.md and return its path."""
    target = path or project_root() / "docs" / "checks.md"
    target.write_text(with_tables(target.read_text("utf-8"), load_framework()), "utf-8")
    return target


if __name__ == "__main__":
    write_page()
