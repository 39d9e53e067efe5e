"""The codebook as one HTML page: nothing is loaded from elsewhere, and no script runs."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from copstats.framework.export.codebook_entries import Codebook
from copstats.language import Translations


def page(content: Codebook, words: Translations) -> str:
    """Return the page.

    Args:
        content: the codebook.
        words: its language; sets the direction of the page.
    """
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(Path(__file__).parent),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    template = environment.get_template("codebook.html.jinja")
    return template.render(
        book=content, language=words.language, direction=words.direction, say=_headings(words)
    )


def _headings(words: Translations) -> dict[str, str]:
    """Return the fixed texts of the page."""
    return {
        "codebook": words.text("Codebook"),
        "skip": words.text("Skip to the content"),
        "contents": words.text("Contents"),
        "notice": words.text("Please note"),
        "modules": words.text("Modules and variables"),
        "always": words.text("Part of every data file of this kind."),
        "variable": words.text("Variable"),
        "label": words.text("Label"),
        "definition": words.text("Definition"),
        "type": words.text("Type"),
        "code": words.text("Code"),
        "permitted": words.text("Permitted values"),
        "codelist": words.text("Code list"),
        "missing": words.text("Missing codes"),
        "missing_note": words.text(
            "Common to all variables. A blank cell is an error, not a missing answer."
        ),
        "universe": words.text("Asked of"),
        "recall": words.text("Recall period"),
        "minimum_age": words.text("Minimum age"),
        "status": words.text("Status"),
        "sensitivity": words.text("Sensitivity"),
        "tier": words.text("Disclosure tier"),
        "privacy": words.text("Treatment at sealing"),
        "source": words.text("Comparable sources"),
        "indicators": words.text("Indicators"),
        "used_by": words.text("Used by"),
        "codelists": words.text("Code lists"),
        "unit": words.text("Unit"),
        "population": words.text("Reference population"),
        "restricted": words.text("Restricted to"),
        "counted": words.text("Counted"),
        "ages": words.text("Ages"),
        "note": words.text("Note"),
        "reads": words.text("Variables"),
        "record": words.text("Record"),
        "rules": words.text("Edit rules"),
        "rules_note": words.text(
            "Level: validation level of the European Statistical System. Rules without a predicate hold for "
            "all variables that they fit; {variable}, {label} and {count} stand for what a check finds."
        ),
        "rule": words.text("Rule"),
        "level": words.text("Level"),
        "severity": words.text("Severity"),
        "predicate": words.text("A record breaks it if"),
        "what": words.text("What"),
        "why": words.text("Why it matters"),
        "fix": words.text("How to put it right"),
    }
