"""The templates, read by other tools, filled with records, and taken in again by `copstats.collect`."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
import pytest
import yaml

from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.errors import UsageError
from copstats.framework import load_areas, load_framework
from copstats.framework.export.template import write_template
from copstats.language import LANGUAGES
from copstats.steps import area_table, check
from copstats.store.engine import memory_connection

SAMPLE = "sample_data/submissions/XAA_2025_COPS_v01"
FORMATS = ("csv", "xlsx", "sav", "dta")
Records = list[dict[str, str]]


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    write_template(load_framework(), folder)
    return folder


@pytest.fixture(scope="module")
def records(root) -> Records:
    """Records of a synthetic survey in the framework's names and codes."""
    with (root / SAMPLE / "child.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def variables() -> list[str]:
    return [name for name, v in load_framework().variables("child").items() if not v.series]


def columns_of(path: Path) -> list[str]:
    match path.suffix:
        case ".csv":
            return path.read_text("utf-8").strip().split(",")
        case ".xlsx":
            return [cell.value for cell in openpyxl.load_workbook(path)["child"][1]]
        case ".sav":
            return pyreadstat.read_sav(path)[1].column_names
        case _:
            return list(pd.read_stata(path).columns)


def fill_csv(template: Path, target: Path, records: Records) -> None:
    with target.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, [n for n in columns_of(template) if n in records[0]])
        writer.writeheader()
        writer.writerows(records)


def fill_xlsx(template: Path, target: Path, records: Records) -> None:
    """Type the records below the header, then take away the columns that the survey did not collect."""
    book = openpyxl.load_workbook(template)
    sheet = book["child"]
    names = columns_of(template)
    texts = {n for n, v in load_framework().variables("child").items() if v.type in ("string", "month")}
    for record in records:
        sheet.append([cell if n in texts else cell and float(cell) for n, cell in aligned(record, names)])
    for number in range(len(names), 0, -1):
        if names[number - 1] not in records[0]:
            sheet.delete_cols(number)
    book.save(target)


def aligned(record: dict[str, str], names: list[str]) -> list[tuple[str, str | None]]:
    return [(name, record.get(name)) for name in names]


def frame(empty: pd.DataFrame, records: Records) -> pd.DataFrame:
    """Return the records in the columns and types of an empty data file."""
    filled = pd.DataFrame(records)
    kept = [name for name in empty.columns if name in filled]
    return filled[kept].astype({n: "object" if empty[n].dtype == "object" else "float64" for n in kept})


def fill_sav(template: Path, target: Path, records: Records) -> None:
    empty, says = pyreadstat.read_sav(template, user_missing=True)
    pyreadstat.write_sav(
        frame(empty, records),
        target,
        column_labels=says.column_names_to_labels,
        variable_value_labels=says.variable_value_labels,
        missing_ranges=says.missing_ranges,
    )


def fill_dta(template: Path, target: Path, records: Records) -> None:
    empty, says = pyreadstat.read_dta(template)
    labels = {
        name: {int(code): label for code, label in codes.items()}
        for name, codes in says.variable_value_labels.items()
        if name in records[0]
    }
    frame(empty, records).to_stata(target, write_index=False, version=118, value_labels=labels)


FILL: dict[str, Callable[[Path, Path, Records], None]] = {
    "csv": fill_csv,
    "xlsx": fill_xlsx,
    "sav": fill_sav,
    "dta": fill_dta,
}


def filled(template: Path, extension: str, records: Records, root: Path, folder: Path) -> Path:
    """Return a submission: the filled template beside the manifest of the synthetic survey."""
    folder.mkdir()
    FILL[extension](template / f"child.{extension}", folder / f"child.{extension}", records)
    manifest = yaml.safe_load((root / SAMPLE / "manifest.yaml").read_text("utf-8"))
    manifest["files"] = {"child": {"path": f"child.{extension}"}}
    if extension == "xlsx":
        manifest["files"]["child"]["sheet"] = "child"
    manifest["modules"] = [m for m in manifest["modules"] if not m.startswith("parent")]
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest), "utf-8")
    return folder


def harmonised(folder: Path, root: Path, names: list[str]) -> list[tuple]:
    areas = load_areas(root / "sample_data" / "areas.csv")
    with memory_connection(threads=1) as connection:
        harmonise(open_submission(folder, areas=areas), load_framework(), connection)
        return connection.execute(f"SELECT {', '.join(names)} FROM child ORDER BY record_no").fetchall()


@pytest.mark.parametrize("extension", FORMATS)
def test_every_format_has_every_variable_and_no_record(template, extension):
    path = template / f"child.{extension}"
    assert columns_of(path) == variables()
    if extension in ("sav", "dta"):
        cells, _ = getattr(pyreadstat, f"read_{extension}")(path)
        assert cells.shape == (0, len(variables()))


@pytest.mark.parametrize("extension", FORMATS)
def test_a_filled_template_is_taken_in_as_it_is(template, records, root, tmp_path, extension):
    some = records[:150]
    names = [name for name in variables() if name in some[0]]
    folder = filled(template, extension, some, root, tmp_path / "s")
    kinds = {n: float if v.type == "number" else int for n, v in load_framework().variables("child").items()}
    expected = [
        tuple(r[n] if v.type in ("string", "month") else kinds[n](r[n]) for n, v in typed(names))
        for r in some
    ]
    assert harmonised(folder, root, names) == expected


def typed(names: list[str]):
    held = load_framework().variables("child")
    return [(name, held[name]) for name in names]


@pytest.mark.parametrize("extension", ["xlsx", "sav"])
def test_a_filled_template_passes_the_check(template, records, root, tmp_path, extension):
    folder = filled(template, extension, records[:400], root, tmp_path / "s")
    outcome = check(folder, areas=area_table(root / "sample_data" / "areas.csv"))
    assert outcome.result.accepted


def test_spss_knows_labels_missing_codes_widths_and_levels(template):
    framework = load_framework()
    _, says = pyreadstat.read_sav(template / "child.sav", user_missing=True)
    for name in variables():
        variable = framework.variables("child")[name]
        assert says.column_names_to_labels[name] == variable.label
        codes = {float(code): entry.label for code, entry in framework.codes(variable).items()}
        assert codes.items() <= says.variable_value_labels.get(name, {}).items()
    assert says.variable_value_labels["net_3m"][-9] == "Prefers not to say"
    assert says.missing_ranges["net_3m"] == [{"lo": -9, "hi": -1}]
    assert says.missing_ranges["sex"] == [{"lo": -9, "hi": -8}]
    assert says.missing_ranges["med_rules"] == [{"lo": -9, "hi": -1}]
    assert "weight" not in says.missing_ranges
    assert says.variable_storage_width["child_id"] == 64
    assert says.variable_storage_width["int_ym"] >= 7
    assert (says.variable_measure["sex"], says.variable_measure["age"]) == ("nominal", "scale")
    assert says.original_variable_types["weight"] == "F14.6"
    assert says.original_variable_types["sex"] == "F6.0"
    assert " ".join(says.notes).startswith("DRAFT. Not cognitively tested.")
    assert " ".join(says.notes).endswith(framework.head.notice)


def test_stata_knows_labels_and_widths(template):
    framework = load_framework()
    with pd.io.stata.StataReader(template / "child.dta") as reader:
        labels, codes = reader.variable_labels(), reader.value_labels()
        assert reader.data_label.startswith("cop-2026 1.0.0")
    _, says = pyreadstat.read_dta(template / "child.dta")
    for name in variables():
        label = framework.variables("child")[name].label
        assert labels[name] == label or (len(label) > 80 and label.startswith(labels[name][:-1]))
        assert len(labels[name]) <= 80
    assert codes[says.variable_to_label["net_3m"]] == {
        0: "No",
        1: "Yes",
        -1: "Not asked",
        -7: "Not applicable",
        -8: "Does not know",
        -9: "Prefers not to say",
    }
    assert says.original_variable_types["child_id"] == "%-64s"
    # Format 118 is the one that every edition of Stata 14 and later reads.
    assert (template / "child.dta").read_bytes()[28:31] == b"118"


@pytest.mark.parametrize("extension", ["sav", "dta"])
def test_text_columns_are_wide_although_no_record_is_there(template, extension):
    _, says = getattr(pyreadstat, f"read_{extension}")(template / f"child.{extension}")
    assert says.variable_storage_width["hh_id"] >= 64


def test_excel_offers_the_codes_and_explains_them(template):
    book = openpyxl.load_workbook(template / "child.xlsx")
    assert book.sheetnames == ["child", "Codes", "About"]
    sheet = book["child"]
    rules = {rule.promptTitle: rule for rule in sheet.data_validations.dataValidation}
    assert set(rules) == set(variables())
    assert rules["sex"].type == "list"
    title, _, cells = rules["sex"].formula1.rpartition("!")
    assert title == "'Codes'"
    listed = book["Codes"][cells.replace("$", "")]
    assert [cell.value for (cell,) in listed] == [1, 2, 3, -8, -9]
    assert "1 = Male" in rules["sex"].prompt
    column = next(c.column_letter for c in sheet[1] if c.value == "age")
    assert str(rules["age"].sqref) == f"{column}2:{column}1048576"
    assert rules["age"].formula1 == (
        f"OR(AND(ISNUMBER({column}2),{column}2=INT({column}2),{column}2>=5,{column}2<=24),"
        f"{column}2=-8,{column}2=-9)"
    )
    assert rules["child_id"].type is None
    assert all(len(rule.prompt) <= 255 and len(rule.promptTitle) <= 32 for rule in rules.values())
    key = next(c.column_letter for c in sheet[1] if c.value == "child_id")
    assert sheet.column_dimensions[key].number_format == "@"
    assert load_framework().head.notice in [row[0].value for row in book["About"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_and_the_same_bytes_every_time(tmp_path, language):
    first, second = (
        {
            path.name: path.read_bytes()
            for path in write_template(load_framework(), tmp_path / run, language=language)
        }
        for run in ("one", "two")
    )
    assert first == second
    assert set(first) == {f"{r}.{f}" for r in ("child", "parent") for f in FORMATS} | {"README.txt"}
    book = openpyxl.load_workbook(tmp_path / "one" / "child.xlsx")
    assert all(sheet.sheet_view.rightToLeft == (language == "ar") for sheet in book)
    assert book.sheetnames[0] == "child"


def test_part_of_the_framework(tmp_path):
    paths = write_template(load_framework(), tmp_path, modules=["wellbeing"])
    assert {path.name for path in paths} == {f"child.{f}" for f in FORMATS} | {"README.txt"}
    header = columns_of(tmp_path / "child.csv")
    assert header[-2:] == ["wel_life", "wel_family"]
    assert "child_id" in header
    assert "net_freq" not in header


def test_a_filled_template_is_not_replaced(tmp_path):
    write_template(load_framework(), tmp_path, modules=["access"])
    with (tmp_path / "child.csv").open("a") as lines:
        lines.write("work of a week\n")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UsageError) as caught:
        write_template(load_framework(), tmp_path, modules=["access"])
    assert caught.value.code == "U142"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
