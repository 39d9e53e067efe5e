"""The codebook: every definition in one Excel workbook and on one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from openpyxl import Workbook

from copstats.framework.export.codebook_content import codebook
from copstats.framework.export.codebook_entries import (
    Codebook,
    IndicatorEntry,
    ModuleEntry,
    PredicateEntry,
    RuleEntry,
    VariableEntry,
)
from copstats.framework.export.codebook_page import page
from copstats.framework.export.output import folder
from copstats.framework.export.selection import select
from copstats.framework.export.workbook import Column, Value, add_page, add_table, new_workbook, save
from copstats.framework.model import Framework
from copstats.language import Translations, translations

XLSX, HTML = "codebook.xlsx", "codebook.html"


def write_codebook(
    framework: Framework, target: Path, *, language: str = "en", modules: Sequence[str] | None = None
) -> list[Path]:
    """Write the codebook as an Excel workbook and as an HTML page.

    The page is one file without any request to elsewhere; every variable has an anchor, ``#child-age``. Files
    of an earlier export are replaced.

    Args:
        framework: the framework version.
        target: a folder for both (``codebook.xlsx``, ``codebook.html``), or one file whose name ends in
            ``.xlsx`` or ``.html``.
        language: of labels and texts (BCP 47).
        modules: see `copstats.framework.export.selection.select`; None for all.

    Returns:
        The files written.

    Raises:
        UsageError: U141, no such module; U120, no such language; U143, the folder is a file.
    """
    words = translations(language, framework.id)
    content = codebook(select(framework, modules), words)
    if target.suffix.lower() in (".xlsx", ".html"):
        folder(target.parent)
        paths = [target]
    else:
        paths = [folder(target) / name for name in (XLSX, HTML)]
    for path in paths:
        if path.suffix.lower() == ".xlsx":
            save(_workbook(content, words), path)
        else:
            path.write_text(page(content, words), "utf-8", newline="\n")
    return paths


def _workbook(content: Codebook, words: Translations) -> Workbook:
    book = new_workbook(content.title)
    about = [content.title, *content.notices, *_about(words)]
    add_page(book, words.text("About"), about, words)
    variables = [(module, variable) for module in content.modules for variable in module.variables]
    add_table(book, words.text("Variables"), _variable_columns(words), map(_variable_row, variables), words)
    codes = [
        (codelist.name, codelist.title, code, label)
        for codelist in content.codelists
        for code, label in codelist.codes.items()
    ]
    add_table(book, words.text("Code lists"), _code_columns(words), codes, words)
    indicators = [_indicator_row(indicator) for indicator in content.indicators]
    add_table(book, words.text("Indicators"), _indicator_columns(words), indicators, words)
    rules = [_rule_row(rule) for rule in (*content.classes, *content.rules)]
    add_table(book, words.text("Edit rules"), _rule_columns(words), rules, words)
    missing = [(code, *texts) for code, texts in content.missing.items()]
    add_table(book, words.text("Missing codes"), _missing_columns(words), missing, words)
    return book


def _about(words: Translations) -> Iterator[str]:
    yield words.text("Variables: what a data file may hold, in the order of a questionnaire.")
    yield words.text("Code lists: the answers of coded variables.")
    yield words.text("Indicators: what is computed from the variables of this codebook.")
    yield words.text(
        "Edit rules: what a delivered file is checked for. Rules without a predicate hold for all variables "
        "that they fit."
    )
    yield words.text(
        "Missing codes: common to all variables. A blank cell is an error, not a missing answer."
    )


def _variable_columns(words: Translations) -> list[Column]:
    return [
        Column(words.text("Record"), 12),
        Column(words.text("Module"), 22),
        Column(words.text("Variable"), 17),
        Column(words.text("Label"), 36),
        Column(words.text("Definition"), 50),
        Column(words.text("Type"), 16),
        Column(words.text("Permitted values"), 40),
        Column(words.text("Missing codes"), 28),
        Column(words.text("Asked of"), 40),
        Column(words.text("Asked of (predicate)"), 26),
        Column(words.text("Recall period"), 13),
        Column(words.text("Minimum age"), 10),
        Column(words.text("Status"), 18),
        Column(words.text("Sensitivity"), 18),
        Column(words.text("Disclosure tier"), 11),
        Column(words.text("Treatment at sealing"), 20),
        Column(words.text("Code list"), 17),
        Column(words.text("Comparable sources"), 34),
        Column(words.text("Indicators"), 18),
    ]


def _variable_row(place: tuple[ModuleEntry, VariableEntry]) -> list[Value]:
    module, variable = place
    return [
        variable.record,
        module.title,
        f"{variable.name}_001, ..." if variable.series else variable.name,
        variable.label,
        variable.definition,
        variable.type,
        _codes(variable.codes) or variable.limits or variable.pattern,
        _codes(variable.missing),
        variable.universe,
        variable.predicate,
        variable.recall,
        variable.minimum_age,
        variable.status,
        variable.sensitivity,
        variable.tier,
        variable.privacy,
        variable.codelist,
        "\n".join(variable.source),
        ", ".join(variable.indicators),
    ]


def _codes(codes: Mapping[int, str]) -> str:
    return "\n".join(f"{code} = {label}" for code, label in codes.items())


def _code_columns(words: Translations) -> list[Column]:
    titles = (words.text("Code list"), words.text("Title"), words.text("Code"), words.text("Label"))
    return [Column(title, width) for title, width in zip(titles, (20, 40, 8, 60), strict=True)]


def _indicator_columns(words: Translations) -> list[Column]:
    return [
        Column(words.text("Indicator"), 11),
        Column(words.text("Title"), 40),
        Column(words.text("Unit"), 12),
        Column(words.text("Record"), 16),
        Column(words.text("Reference population"), 40),
        Column(words.text("Reference population (predicate)"), 26),
        Column(words.text("Restricted to"), 40),
        Column(words.text("Restricted to (predicate)"), 26),
        Column(words.text("Counted"), 44),
        Column(words.text("Counted (predicate)"), 30),
        Column(words.text("Ages"), 11),
        Column(words.text("Recall period"), 13),
        Column(words.text("Disclosure tier"), 11),
        Column(words.text("Note"), 50),
        Column(words.text("Comparable sources"), 34),
    ]


def _indicator_row(indicator: IndicatorEntry) -> list[Value]:
    members = ", ".join(indicator.members)
    counted = indicator.numerator or PredicateEntry(f"{indicator.combine} {members}", "")
    restricted = indicator.denominator or PredicateEntry("", "")
    return [
        indicator.code,
        indicator.title,
        indicator.unit,
        indicator.record,
        indicator.universe.words,
        indicator.universe.text,
        restricted.words,
        restricted.text,
        counted.words,
        counted.text,
        indicator.ages,
        indicator.recall,
        indicator.tier,
        indicator.note,
        "\n".join(indicator.reference),
    ]


def _rule_columns(words: Translations) -> list[Column]:
    return [
        Column(words.text("Rule"), 30),
        Column(words.text("Record"), 14),
        Column(words.text("Validation level (ESS)"), 11),
        Column(words.text("Severity"), 11),
        Column(words.text("A record breaks it if (predicate)"), 40),
        Column(words.text("What"), 54),
        Column(words.text("Why it matters"), 54),
        Column(words.text("How to put it right"), 60),
    ]


def _rule_row(rule: RuleEntry) -> list[Value]:
    return [rule.id, rule.record, rule.level, rule.severity, rule.predicate, rule.what, rule.why, rule.fix]


def _missing_columns(words: Translations) -> list[Column]:
    titles = (words.text("Code"), words.text("Label"), words.text("Definition"))
    return [Column(title, width) for title, width in zip(titles, (8, 30, 80), strict=True)]
