"""Empty data files in the framework's own names and codes, in the formats that ``copstats check`` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from copstats.framework.definitions import RecordKind
from copstats.framework.export.output import write_forms
from copstats.framework.export.selection import Item, Selection, select
from copstats.framework.export.statistical import LabelledColumn, spss_file, stata_file
from copstats.framework.export.words import code_labels, heading, missing_labels, notices
from copstats.framework.export.workbook import (
    Column,
    add_page,
    add_table,
    content,
    new_sheet,
    new_workbook,
    write_header,
)
from copstats.framework.model import Framework
from copstats.language import Translations, translations

Validation = Literal["list", "custom"]
README = "README.txt"
TEXT_WIDTH, MONTH_WIDTH = 64, 7
"""Bytes of a text column in SPSS and Stata, which cut what is longer."""
NUMBER_WIDTH, DECIMALS = 14, 6
FEWEST_DIGITS = 6
_LAST_ROW = 1_048_576
_LONGEST_PROMPT, _LONGEST_ERROR = 255, 225


def write_template(
    framework: Framework, target: Path, *, language: str = "en", modules: Sequence[str] | None = None
) -> list[Path]:
    """Write empty data files for every record kind as CSV, Excel, SPSS and Stata, and a README.

    Each file has the variables as columns and no record, in every format. Excel offers the codes of each
    column and explains them on a second sheet. SPSS and Stata files hold variable labels, value labels (those
    of missing codes too) and widths; SPSS also has missing codes as user-missing values, and levels of
    measurement. Replicate weights, whose number only the survey knows, are left out.

    Args:
        framework: the framework version.
        target: a folder: ``child.csv``, ``child.xlsx``, ``child.sav``, ``child.dta``, the same for ``parent``
            where a module of parents is chosen, and ``README.txt``.
        language: of labels and texts (BCP 47).
        modules: see `copstats.framework.export.selection.select`; None for all.

    Returns:
        The files written.

    Raises:
        UsageError: U141, no such module; U120, no such language; U142, a file is there that somebody may have
            filled in; U143, the folder is a file.
    """
    words = translations(language, framework.id)
    selection = select(framework, modules)
    files: dict[str, bytes] = {}
    for record in selection.records:
        items = [item for item in selection.of(record) if not item.variable.series]
        labelled = [_labelled(selection, item, words) for item in items]
        files[f"{record}.csv"] = (",".join(item.name for item in items) + "\r\n").encode()
        files[f"{record}.xlsx"] = _workbook(selection, record, items, labelled, words)
        files[f"{record}.sav"] = spss_file(labelled, _title(framework, words), notices(framework, words))
        files[f"{record}.dta"] = stata_file(labelled, _title(framework, words))
    files[README] = "\n".join(_readme(framework, selection, words)).encode()
    return write_forms(target, files)


def _title(framework: Framework, words: Translations) -> str:
    return f"{framework.id} {framework.head.version}: {words.text(framework.head.title)}"


def _labelled(selection: Selection, item: Item, words: Translations) -> LabelledColumn:
    variable = item.variable
    missing = selection.missing_codes(item)
    codes = code_labels(selection.framework, variable, words)
    codes |= missing_labels(selection.framework, missing, words)
    kind = {"string": "text", "month": "text", "number": "number", "integer": "integer", "code": "code"}
    widths = {"string": TEXT_WIDTH, "month": MONTH_WIDTH, "number": NUMBER_WIDTH}
    digits = max((len(str(code)) for code in codes), default=0)
    return LabelledColumn(
        name=item.name,
        label=words.text(variable.label),
        kind=kind[variable.type],
        width=widths.get(variable.type, max(digits, FEWEST_DIGITS)),
        decimals=DECIMALS if variable.type == "number" else 0,
        codes=codes,
        missing=missing,
    )


def _workbook(
    selection: Selection,
    record: RecordKind,
    items: Sequence[Item],
    labelled: Sequence[LabelledColumn],
    words: Translations,
) -> bytes:
    """Return a workbook whose first sheet, named after the record kind, takes the data."""
    framework = selection.framework
    book = new_workbook(heading(framework, words))
    data = new_sheet(book, record, words)
    write_header(data, [item.name for item in items])
    codes_title = words.text("Codes")
    codes = [(column, code, label) for column in labelled for code, label in column.codes.items()]
    columns = [
        Column(words.text("Variable"), 18),
        Column(words.text("Label"), 60),
        Column(words.text("Code"), 8),
        Column(words.text("Meaning"), 50),
    ]
    rows = [(column.name, column.label, code, label) for column, code, label in codes]
    sheet = add_table(book, codes_title, columns, rows, words)
    about = [heading(framework, words), *notices(framework, words), *_rules_of_entry(words)]
    add_page(book, words.text("About"), about, words)

    first = 2
    for number, (item, column) in enumerate(zip(items, labelled, strict=True), start=1):
        letter = get_column_letter(number)
        data.column_dimensions[letter].width = max(9, len(item.name) + 2)
        if column.kind == "text":
            data.column_dimensions[letter].number_format = "@"
        last = first + len(column.codes) - 1
        if column.kind == "code":
            listed = f"{quote_sheetname(sheet.title)}!$C${first}:$C${last}"
            validation = _validation("list", listed, column, words)
        else:
            validation = _validation("custom", _check(item, column, letter), column, words)
        validation.add(f"{letter}2:{letter}{_LAST_ROW}")
        data.add_data_validation(validation)
        first = last + 1
    return content(book)


def _check(item: Item, column: LabelledColumn, letter: str) -> str | None:
    """Return the formula of what Excel accepts in a column; None for a text."""
    cell = f"{letter}2"
    if item.variable.type == "month":
        return f'AND(ISTEXT({cell}),LEN({cell})=7,MID({cell},5,1)="-")'
    if column.kind == "text":
        return None
    conditions = [f"ISNUMBER({cell})"]
    conditions += [f"{cell}=INT({cell})"] if column.kind == "integer" else []
    conditions += [f"{cell}>={item.variable.minimum:g}"] if item.variable.minimum is not None else []
    conditions += [f"{cell}<={item.variable.maximum:g}"] if item.variable.maximum is not None else []
    accepted = [f"AND({','.join(conditions)})", *(f"{cell}={code}" for code in column.missing)]
    return f"OR({','.join(accepted)})"


def _validation(
    kind: Validation, formula: str | None, column: LabelledColumn, words: Translations
) -> DataValidation:
    """Return what Excel accepts in a column, and what it says when a cell is entered."""
    codes = "\n".join(f"{code} = {label}" for code, label in column.codes.items())
    prompt = f"{column.label}\n{codes}".strip()
    error = words.text(
        "This value is not among those that the codebook permits for {variable}.", variable=column.name
    )
    return DataValidation(
        type=kind if formula else None,
        formula1=formula,
        allow_blank=True,
        showInputMessage=True,
        showErrorMessage=formula is not None,
        promptTitle=column.name,
        prompt=prompt if len(prompt) <= _LONGEST_PROMPT else prompt[: _LONGEST_PROMPT - 1] + "…",
        error=error[:_LONGEST_ERROR],
    )


def _rules_of_entry(words: Translations) -> Iterator[str]:
    yield words.text(
        "One row for each record. The first row holds the names of the variables: leave it as it is."
    )
    yield words.text("Leave out columns of optional variables that you did not collect.")
    yield words.text("Every other cell holds a value or a missing code; a blank cell is an error.")
    yield words.text("If you deliver the workbook, the manifest names its first sheet under `sheet`.")


def _readme(framework: Framework, selection: Selection, words: Translations) -> Iterator[str]:
    yield heading(framework, words)
    yield ""
    for notice in notices(framework, words):
        yield notice
        yield ""
    yield words.text(
        "Empty data files in the names and codes of the framework. Use one format; the columns are the same "
        "in all."
    )
    yield ""
    for record in selection.records:
        yield f"{record}.csv, {record}.xlsx, {record}.sav, {record}.dta"
    yield ""
    for sentence in _rules_of_entry(words):
        yield f"- {sentence}"
    yield "- " + words.text(
        "Texts in SPSS and Stata files hold up to {bytes} bytes; make a column wider before you enter more.",
        bytes=TEXT_WIDTH,
    )
    yield "- " + words.text(
        "A survey with replicate weights adds their columns and names them in the manifest: replicate_weights"
    )
    yield ""
    yield words.text(
        "Then write manifest.yaml (`copstats framework export crosswalk` gives one to fill in) and run "
        "`copstats check` on the folder."
    )
    yield ""
