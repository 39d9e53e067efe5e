"""Every definition file against its JSON Schema, and the schemas against the types behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from copstats.framework.jsonschema import SCHEMAS, json_schema, write_schemas
from copstats.framework.located import Located

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = sorted(path.parent for path in ROOT.glob("schemas/*/framework.yaml"))
FILES = [
    *((path, "indicator") for path in sorted(ROOT.glob("indicators/**/*.yaml"))),
    *((path, "module") for folder in VERSIONS for path in sorted(folder.glob("variables/*.yaml"))),
    *(
        (folder / f"{name}.yaml", name)
        for folder in VERSIONS
        for name in (
            "framework",
            "codelists",
            "rules",
            "administrative",
            "counts",
            "policy",
            "structure",
            "disclosure",
            "aggregation",
        )
    ),
    *((path, "named_profile") for folder in VERSIONS for path in sorted(folder.glob("disclosure/*.yaml"))),
]


def as_json(data: Any) -> Any:
    """Keys of a JSON object are text: codes become the text of their number."""
    return json.loads(json.dumps(data))


@pytest.mark.parametrize(("path", "schema"), FILES, ids=[path.stem for path, _ in FILES])
def test_a_definition_file_follows_its_schema(path: Path, schema: str) -> None:
    validator = Draft202012Validator(json_schema(schema))
    assert [error.message for error in validator.iter_errors(as_json(Located(path).data))] == []


ELSEWHERE = {"comparability", "reliability", "identifiers", "matching", "questionnaire"}
"""Criteria, key words and questions that the packages which apply them read and check."""


def test_no_definition_file_is_left_out() -> None:
    found = {path for path in ROOT.glob("schemas/**/*.yaml")} | {
        path for path in ROOT.glob("indicators/**/*")
    }
    checked = {path for path, _ in FILES}
    assert {path for path in found if path.is_file() and path.stem not in ELSEWHERE} == checked


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid(name: str) -> None:
    Draft202012Validator.check_schema(json_schema(name))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("indicator", {"code": "RCT2", "extra": 1}),
        ("module", {"module": "Contact", "title": "Contact", "record": "child", "variables": {}}),
        ("codelists", {"CL_YESNO": {"title": "Yes or no", "codes": {"0": {"name": "No"}}}}),
        ("rules", {"classes": {}, "rules": {"a": {}}}),
    ],
)
def test_schemas_refuse_what_the_loader_refuses(name: str, data: Any) -> None:
    assert not Draft202012Validator(json_schema(name)).is_valid(data)


def test_the_committed_schemas_are_the_generated_ones(tmp_path: Path) -> None:
    committed = {path.name: path.read_text("utf-8") for path in (ROOT / "schemas" / "json").iterdir()}
    generated = {path.name: path.read_text("utf-8") for path in write_schemas(tmp_path)}
    assert committed == generated, "run `make schemas`"
