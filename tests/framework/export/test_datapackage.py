from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import frictionless
import pytest

from copstats.framework import load_framework
from copstats.framework.export.datapackage import write_datapackage
from copstats.language import LANGUAGES

SAMPLE = "sample_data/submissions/XAA_2025_COPS_v01"


@pytest.fixture
def package(root, tmp_path) -> Path:
    """The descriptor beside a copy of the data files of a synthetic survey."""
    (path,) = write_datapackage(load_framework(), tmp_path)
    for name in ("child.csv", "parent.csv"):
        shutil.copy(root / SAMPLE / name, tmp_path / name)
    return path


def change(package: Path, changes: dict[str, str], record: str = "child") -> None:
    """Write cells into the first record of a data file."""
    path = package.with_name(f"{record}.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        header, first, *others = csv.reader(lines)
    cells = dict(zip(header, first, strict=True)) | changes
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([header, list(cells.values()), *others])


def errors(package: Path) -> list[tuple[str, str | None]]:
    report = frictionless.validate(package)
    return [(kind, field) for kind, field in report.flatten(["type", "fieldName"])]


def test_the_descriptor_is_a_data_package(package):
    read = frictionless.Package(str(package))
    assert [resource.name for resource in read.resources] == ["child", "parent"]
    assert json.loads(package.read_text("utf-8"))["version"] == "1.0.0"
    assert load_framework().head.notice in read.description
    child = read.get_resource("child").schema
    assert child.primary_key == ["child_id"]
    assert child.get_field("age").title == "Age in completed years"
    assert "“Used the internet" in child.get_field("net_freq").description


def test_every_variable_is_a_field(package):
    framework = load_framework()
    for resource in json.loads(package.read_text("utf-8"))["resources"]:
        fields = {field["name"]: field for field in resource["schema"]["fields"]}
        defined = framework.variables(resource["name"])
        assert list(fields) == [name for name, variable in defined.items() if not variable.series]
        for name, field in fields.items():
            codes = framework.codes(defined[name])
            labels = {c["value"]: c["label"] for c in field.get("categories", [])}
            assert {code: entry.label for code, entry in codes.items()}.items() <= labels.items()
            if codes:
                assert field["constraints"]["enum"] == list(labels)


def test_the_data_of_a_survey_are_valid(package):
    report = frictionless.validate(package)
    assert report.valid, report.flatten(["type", "fieldName", "note"])
    assert len(report.tasks) == 2


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"sex": "7"}, ("constraint-error", "sex")),
        ({"sex": ""}, ("type-error", "sex")),
        ({"net_freq": ""}, ("type-error", "net_freq")),
        ({"net_freq": "-5"}, ("constraint-error", "net_freq")),
        ({"age": "4"}, ("constraint-error", "age")),
        ({"age": "-7"}, ("constraint-error", "age")),
        ({"net_age1": "18"}, ("constraint-error", "net_age1")),
        ({"weight": "many"}, ("type-error", "weight")),
        ({"fpc_psu": "0"}, ("constraint-error", "fpc_psu")),
        ({"int_ym": "2025-13"}, ("type-error", "int_ym")),
        ({"country_iso3": "NA"}, ("constraint-error", "country_iso3")),
        ({"adm1": ""}, ("constraint-error", "adm1")),
        ({"hh_id": ""}, ("constraint-error", "hh_id")),
    ],
)
def test_faults_are_found(package, changes, found):
    change(package, changes)
    assert found in errors(package)


@pytest.mark.parametrize("code", ["-1", "-7", "-8", "-9"])
def test_missing_codes_are_values(package, code):
    change(package, {"net_freq": code, "net_age1": code})
    assert errors(package) == []


def test_a_key_that_stands_twice(package, root):
    with (root / SAMPLE / "child.csv").open(encoding="utf-8") as lines:
        second = list(csv.DictReader(lines))[1]
    change(package, {"child_id": second["child_id"]})
    assert ("primary-key", None) in errors(package)


def test_a_parent_without_child(package):
    change(package, {"child_id": "nobody"}, record="parent")
    assert errors(package) == [("foreign-key", None)]


def test_only_columns_that_no_survey_can_do_without_must_be_there(package):
    path = package.with_name("child.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for gone, expected in (("net_freq", []), ("weight", [("missing-label", "weight")])):
        with path.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(
                lines, [n for n in rows[0] if n != gone] + ["note"], extrasaction="ignore"
            )
            writer.writeheader()
            writer.writerows(row | {"note": "of the country"} for row in rows[:20])
        package.with_name("parent.csv").unlink(missing_ok=True)
        write_datapackage(load_framework(), package, modules=["access"])
        assert errors(package) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_and_the_same_bytes_every_time(tmp_path, language):
    first, second = (
        write_datapackage(load_framework(), tmp_path / run, language=language)[0].read_bytes()
        for run in ("one", "two")
    )
    assert first == second
    assert frictionless.Package(str(tmp_path / "one" / "datapackage.json")).resource_names == [
        "child",
        "parent",
    ]
