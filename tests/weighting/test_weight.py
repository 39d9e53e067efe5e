from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pyreadstat
import pytest
import yaml
from rich.console import Console

from copstats.cli.weight_view import as_json, render
from copstats.errors import CopstatsError, SubmissionErrors
from copstats.framework.manifest import ResponseRate
from copstats.language import translations
from copstats.weighting import weigh, write_results
from copstats.weighting.figures import bars, combinations, margins

WORDS = translations("en")
EXTENSIONS = ("csv", "xlsx", "sav", "dta", "parquet")

# Region 1: four sampled, three respond; region 2: four sampled, two respond.
PEOPLE = {
    "person": [11, 12, 13, 14, 15, 16, 17, 18],
    "region": [1, 1, 1, 1, 2, 2, 2, 2],
    "sex": [2, 2, 1, 1, 2, 2, 1, 1],
    "outcome": [1, 2, 1, 1, 1, 2, 1, 3],
    "w": [100.5, 100.5, 100.5, 100.5, 200, 200, 200, 200],
}
PLAN: dict[str, Any] = {
    "key": "person",
    "base_weight": "w",
    "respondent": {"column": "outcome", "values": [1]},
    "classes": ["region"],
    "least_respondents": 2,
    "margins": [{"columns": ["sex"], "file": "sex.csv"}],
}
SEX = "sex,total\n1,600\n2,600\n"


def written(folder: Path, extension: str, people: dict[str, list[Any]] | None = None) -> Path:
    """Write the persons in a format and return the file."""
    frame = pd.DataFrame(people or PEOPLE)
    path = folder / f"sample.{extension}"
    match extension:
        case "csv":
            frame.to_csv(path, index=False)
        case "xlsx":
            book = openpyxl.Workbook()
            assert book.active is not None
            for row in [list(frame.columns), *frame.astype(object).to_numpy().tolist()]:
                book.active.append(row)
            book.save(path)
        case "sav":
            pyreadstat.write_sav(frame, str(path))
        case "dta":
            pyreadstat.write_dta(frame, str(path))
        case "parquet":
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    return path


def plan(folder: Path, *, sex: str = SEX, **changes: Any) -> Path:
    """Write the plan with entries replaced, None removing one, and its population table."""
    (folder / "sex.csv").write_text(sex, "utf-8")
    says = {key: value for key, value in (PLAN | changes).items() if value is not None}
    path = folder / "weighting.yaml"
    path.write_text(yaml.safe_dump(says, sort_keys=False), "utf-8")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def codes(folder: Path, **changes: Any) -> list[tuple[str, str]]:
    """Return code and place of every error that a faulty plan or file gives."""
    people = changes.pop("people", None)
    with pytest.raises(CopstatsError) as refused:
        weigh(written(folder, "csv", people), plan(folder, **changes))
    error = refused.value
    found = error.errors if isinstance(error, SubmissionErrors) else [error]
    for one in found:
        assert one.title and one.why and one.hint
    return [(one.code, one.where) for one in found]


def copstats(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "copstats", "weight", *arguments]
    environment = os.environ | {"COLUMNS": "120"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


# By hand: factors 4/3 and 2, then 600 / (134 + 400) for women and 600 / (134 + 134 + 400) for men.
FINAL = {
    "11": 134 * 600 / 534,
    "13": 134 * 600 / 668,
    "14": 134 * 600 / 668,
    "15": 400 * 600 / 534,
    "17": 400 * 600 / 668,
}


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_format_gives_the_weights_computed_by_hand(extension: str, tmp_path: Path) -> None:
    found = weigh(written(tmp_path, extension), plan(tmp_path))
    write_results(found, WORDS, tmp_path / "out")
    weights = rows(tmp_path / "out" / "weights.csv")
    assert {row["person"]: float(row["final_weight"]) for row in weights} == pytest.approx(FINAL)
    for row in weights:
        steps = [float(row[f"{name}_factor"]) for name in ("nonresponse", "calibration")]
        assert float(row["base_weight"]) * math.prod(steps) == pytest.approx(float(row["final_weight"]))
    assert [float(row["nonresponse_factor"]) for row in weights] == pytest.approx([4 / 3] * 3 + [2, 2])


def test_the_page_is_run_as_it_stands(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "weighting.md").read_text("utf-8")
    files = dict(re.findall(r"```(?:csv|yaml) (\S+)\n(.*?)```", page, re.S))
    expected = list(csv.DictReader(io.StringIO(files.pop("weights.csv"))))
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    (command,) = re.findall(r"^\$ copstats weight (.*)$", page, re.M)
    done = copstats(*command.split(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "weights" / "weights.csv")
    assert [list(row) for row in found] == [list(row) for row in expected]
    for row, told in zip(found, expected, strict=True):
        assert [float(v) for v in row.values()] == pytest.approx([float(v) for v in told.values()], rel=1e-4)
    assert "After calibration" in done.stdout
    assert "1,200" in done.stdout
    assert "weights.csv holds the keys of persons" in " ".join(done.stdout.split())


def test_json_and_exit_status(tmp_path: Path) -> None:
    written(tmp_path, "csv")
    plan(tmp_path)
    done = copstats("sample.csv", "--plan", "weighting.yaml", "--out", "out", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert (told["sampled"], told["respondents"], told["response"]) == (8, 5, 0.625)
    assert told["stages"]["calibration"]["sum_after"] == pytest.approx(1200)
    plan(tmp_path, clases=["region"])
    done = copstats("sample.csv", "--plan", "weighting.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert "S181" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    data, says = written(tmp_path, "csv"), plan(tmp_path)
    for name in ("one", "two"):
        write_results(weigh(data, says), WORDS, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["manifest-lines.yaml", "weighting.html", "weights.csv"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_without_steps_the_base_weights_are_the_final_ones(tmp_path: Path) -> None:
    says = plan(tmp_path, respondent=None, classes=None, margins=None)
    found = weigh(written(tmp_path, "csv"), says)
    assert found.final.tolist() == PEOPLE["w"]
    write_results(found, WORDS, tmp_path / "out")
    assert {row["calibration_factor"] for row in rows(tmp_path / "out" / "weights.csv")} == {"1"}
    assert "response_rate:" not in (tmp_path / "out" / "manifest-lines.yaml").read_text("utf-8")


def test_those_who_are_not_eligible_are_left_aside(tmp_path: Path) -> None:
    respondent = {"column": "outcome", "values": [1], "ineligible": [3]}
    people = PEOPLE | {"w": [*PEOPLE["w"][:7], None]}
    found = weigh(written(tmp_path, "csv", people), plan(tmp_path, respondent=respondent))
    assert (found.sample.ineligible, found.response) == (1, 5 / 7)
    assert found.steps[0].factors.tolist() == pytest.approx([4 / 3] * 3 + [1.5] * 2)


def test_the_lines_are_those_of_a_manifest(tmp_path: Path) -> None:
    says = plan(tmp_path, earlier_stages={"household": 0.9})
    write_results(weigh(written(tmp_path, "csv"), says), WORDS, tmp_path / "out")
    lines = yaml.safe_load((tmp_path / "out" / "manifest-lines.yaml").read_text("utf-8"))
    assert lines["design"] == {"weight": "final_weight"}
    assert "region" in lines["weight_method"]
    rate = msgspec.convert(lines["response_rate"], ResponseRate)
    assert (rate.child, rate.household, rate.overall) == (0.625, 0.9, 0.5625)


def test_a_class_that_is_joined_says_why(tmp_path: Path) -> None:
    people = PEOPLE | {"region": [9, 9, 9, 9, 9, 10, 10, 10], "outcome": [1, 1, 1, 1, 2, 2, 1, 2]}
    found = weigh(written(tmp_path, "csv", people), plan(tmp_path, margins=None))
    first, second = combinations(found)
    # Codes that are numbers stand in the order of numbers: 9 before 10.
    assert (first.names, second.names) == (("9",), ("10",))
    assert (first.reason, second.reason, first.number, second.number) == ("neighbour", "few", 1, 1)
    assert (second.own_factor, second.respondents, second.units) == (3, 1, 3)
    nobody = weigh(
        written(tmp_path, "csv", PEOPLE | {"outcome": [1, 1, 1, 1, 2, 2, 2, 2]}),
        plan(tmp_path, margins=None),
    )
    assert [one.reason for one in combinations(nobody)] == ["neighbour", "nobody"]


def test_tables_before_and_after_by_hand(tmp_path: Path) -> None:
    found = weigh(written(tmp_path, "csv"), plan(tmp_path))
    ((name, (men, women)),) = margins(found)
    assert name == "sex"
    assert (men.names, men.respondents, men.population) == (("1",), 3, 600)
    assert (men.before, women.before) == pytest.approx((668, 534))
    assert (men.after, women.after) == pytest.approx((600, 600))
    assert men.gap_before == pytest.approx(68 / 600)


def test_trimming_comes_before_the_calibration(tmp_path: Path) -> None:
    people = PEOPLE | {"w": [1, 1, 1, 1, 1, 1, 9, 9]}
    says = plan(tmp_path, respondent=None, classes=None, trim=3)
    found = weigh(written(tmp_path, "csv", people), says)
    # Median 1, limit 3: two weights of 9 become 3, and 12 are spread over the others, which grow to 3 too.
    assert found.steps[0].after.tolist() == pytest.approx([3] * 8)
    assert found.steps[1].after.sum() == pytest.approx(1200)
    write_results(found, WORDS, tmp_path / "out")
    assert "trimming_factor" in rows(tmp_path / "out" / "weights.csv")[0]


def test_a_table_of_numbers_with_decimal_comma_and_crossed_categories(tmp_path: Path) -> None:
    text = pd.DataFrame(PEOPLE).to_csv(index=False, sep=";", decimal=",")
    (tmp_path / "echantillon.csv").write_text(text, "utf-8")
    table = {"columns": ["sex", "region"], "file": "sex.csv", "total": "N", "read": {"thousands": " "}}
    says = plan(
        tmp_path,
        sex="region;sex;N\n1;1;1 000\n1;2;2 000\n2;1;3 000\n2;2;4 000\n",
        file={"decimal": ","},
        method="post_stratification",
        margins=[table],
    )
    found = weigh(tmp_path / "echantillon.csv", says)
    assert found.base.tolist() == [100.5, 100.5, 100.5, 200, 200]
    assert found.final.tolist() == pytest.approx([2000, 500, 500, 4000, 3000])


def test_a_key_of_several_columns_that_looks_like_a_formula(tmp_path: Path) -> None:
    people = PEOPLE | {"hh": ["=1+1", "=1+1", "b", "b", "c", "c", "d", "d"], "line": [1, 2] * 4}
    found = weigh(written(tmp_path, "csv", people), plan(tmp_path, key=["hh", "line"]))
    write_results(found, WORDS, tmp_path / "out")
    weights = rows(tmp_path / "out" / "weights.csv")
    assert [(row["hh"], row["line"]) for row in weights][:2] == [("'=1+1", "1"), ("b", "1")]


def test_neither_report_nor_screen_holds_a_record(tmp_path: Path) -> None:
    people = PEOPLE | {"person": [f"secret-{number}" for number in range(8)]}
    found = weigh(written(tmp_path, "csv", people), plan(tmp_path))
    screen = Console(file=io.StringIO(), width=120, record=True)
    screen.print(render(found, WORDS, write_results(found, WORDS, tmp_path / "out")))
    page = (tmp_path / "out" / "weighting.html").read_text("utf-8")
    for text in (screen.export_text(), page, json.dumps(as_json(found, []))):
        assert "secret" not in text
    assert "http" not in page
    assert "<script" not in page
    assert "respondents below 2" not in page
    if os.name == "posix":
        assert (tmp_path / "out" / "weights.csv").stat().st_mode & 0o077 == 0


def test_the_report_in_another_language(tmp_path: Path) -> None:
    found = weigh(written(tmp_path, "csv"), plan(tmp_path))
    write_results(found, translations("ar"), tmp_path / "out")
    assert 'dir="rtl"' in (tmp_path / "out" / "weighting.html").read_text("utf-8")
    yaml.safe_load((tmp_path / "out" / "manifest-lines.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"base_weight": None, "clases": []}, ["S180", "S181"]),
        ({"greatest_factor": "three"}, ["S182"]),
        ({"respondent": None}, ["S183"]),
        ({"margins": None, "bounds": {"lower": 0.5, "upper": 2}}, ["S183"]),
        ({"method": "post_stratification", "totals": {"w": 1}}, ["S184"]),
        ({"key": []}, ["S180"]),
        ({"file": {"encoding": "klingon"}}, ["S126"]),
        ({"key": "persn", "classes": ["rgion"]}, ["S185", "S185"]),
        ({"respondent": {"column": "outcome", "values": [7]}}, ["E069"]),
        ({"bounds": {"lower": 2, "upper": 3}}, ["E067"]),
        ({"method": "logit"}, ["E067"]),
        ({"trim": 1}, ["E071"]),
        ({"margins": [{"columns": ["sex"], "file": "none.csv"}]}, ["S121"]),
        ({"margins": [{"columns": ["region"], "file": "sex.csv"}]}, ["S185"]),
    ],
)
def test_a_plan_that_cannot_be_followed_says_on_which_line(
    changes: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    found = codes(tmp_path, **changes)
    assert [code for code, _ in found] == expected
    lines = (tmp_path / "weighting.yaml").read_text("utf-8").splitlines()
    for _, where in found:
        name, _, line = where.partition(":")
        assert name == "weighting.yaml"
        assert 1 <= int(line) <= len(lines)


def test_the_line_is_that_of_the_entry(tmp_path: Path) -> None:
    ((_, where),) = codes(tmp_path, greatest_factor="three")
    lines = (tmp_path / "weighting.yaml").read_text("utf-8").splitlines()
    assert lines[int(where.partition(":")[2]) - 1] == "greatest_factor: three"


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (
            {
                "person": [11, None, 13, 14, 15, 16, 17, 11],
                "outcome": [1, 1, None, 1, 1, 1, 1, None],
                "w": [1, 1, 1, -1, 0, "much", None, 1],
            },
            [("S187", 1, 2), ("S187", 2, 3), ("S186", 4, 4), ("S188", 1, 8)],
        ),
        ({"sex": ["2", "2", "1", "1", "2", "2", None, "1"]}, [("S187", 1, 7)]),
        ({"sex": [2, 3, 3, 1, 2, 2, 1, 1]}, [("S189", 1, 3)]),
    ],
)
def test_records_that_cannot_be_used_are_told_by_number(
    people: dict[str, Any], expected: list[tuple[str, int, int]], tmp_path: Path
) -> None:
    with pytest.raises(SubmissionErrors) as refused:
        weigh(written(tmp_path, "csv", PEOPLE | people), plan(tmp_path))
    found = refused.value.errors
    assert [(one.code, one.params["count"], one.params["record"]) for one in found] == expected
    assert "much" not in str([one.as_dict() for one in found])


@pytest.mark.parametrize(
    ("sex", "expected"),
    [
        ("sex,total\n1,600\n2,\n", [("S191", "sex.csv:3")]),
        ("sex,total\n1,-1\n2,many\n", [("S191", "sex.csv:2"), ("S191", "sex.csv:3")]),
        ("sex,total\n1,600\n2,600\n1,5\n", [("S192", "sex.csv:4")]),
        ("sex,total\n1,600\n,600\n2,5\n", [("S192", "sex.csv:3")]),
        ("sex,total\n1,600\n2,600\n3,5\n", [("S190", "sex.csv:4")]),
        ("sex,total\n1,600\n2,0\n", [("E064", "weighting.yaml:12")]),
        ("gender,total\n1,600\n2,600\n", [("S185", "weighting.yaml:13")]),
    ],
)
def test_population_tables_that_do_not_fit_are_told_by_row(
    sex: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    found = codes(tmp_path, sex=sex)
    assert [code for code, _ in found] == [code for code, _ in expected]
    for (_, where), (_, told) in zip(found, expected, strict=True):
        assert where.partition(":")[0] == told.partition(":")[0]
        if told.startswith("sex.csv"):
            assert where == told


def test_tables_with_different_totals_are_refused(tmp_path: Path) -> None:
    (tmp_path / "region.csv").write_text("region,total\n1,600\n2,601\n", "utf-8")
    tables = [*PLAN["margins"], {"columns": ["region"], "file": "region.csv"}]
    ((code, where),) = codes(tmp_path, margins=tables)
    assert code == "E065"
    assert where.startswith("weighting.yaml:")


def test_linear_weights_below_zero_are_refused(tmp_path: Path) -> None:
    people = PEOPLE | {"size": [1, 2, 3, 4, 5, 6, 7, 8]}
    changes = {"respondent": None, "classes": None, "margins": None, "method": "linear"}
    assert codes(tmp_path, people=people, totals={"size": -9000}, **changes)[0][0] == "S194"
    written(tmp_path, "csv", people)
    found = weigh(tmp_path / "sample.csv", plan(tmp_path, totals={"size": 7000}, **changes))
    assert found.final @ np.array(people["size"]) == pytest.approx(7000)


def test_what_is_read_is_never_overwritten(tmp_path: Path) -> None:
    data = written(tmp_path, "csv").rename(tmp_path / "weights.csv")
    found = weigh(data, plan(tmp_path))
    with pytest.raises(CopstatsError) as refused:
        write_results(found, WORDS, tmp_path, read=[data])
    assert refused.value.code == "S193"
    assert len(rows(data)) == 8


def test_what_an_spss_file_declares_as_missing_is_no_weight(tmp_path: Path) -> None:
    frame = pd.DataFrame(PEOPLE | {"w": [1.0, 1, 1, 1, 1, 1, 1, 9999]})
    pyreadstat.write_sav(frame, str(tmp_path / "sample.sav"), missing_ranges={"w": [9999]})
    with pytest.raises(SubmissionErrors) as refused:
        weigh(tmp_path / "sample.sav", plan(tmp_path))
    assert [error.params["record"] for error in refused.value.errors] == [8]


@pytest.mark.parametrize("weights", [[1.0, 1.0], [3.0, 400.0, 17.5], [1e-3, 2e-3], [49.9, 50.1, 100]])
def test_every_weight_stands_in_one_bar(weights: list[float]) -> None:
    edges, counts = bars(np.array(weights))
    assert sum(counts) == len(weights)
    assert edges[0] <= min(weights) < edges[1]
    assert edges[-1] > max(weights)
    assert len(counts) <= 26


@pytest.mark.reference
def test_weights_agree_with_r(shared: Path, tmp_path: Path) -> None:
    folder = shared / "reference" / "estimation" / "data"
    expected = pyarrow.csv.read_csv(folder / "apiclus1_calibrated_weights.csv")
    stype = {"columns": ["stype"], "file": str(folder / "apipop_stype_margin.csv"), "total": "Freq"}
    schwide = {"columns": ["sch_wide"], "file": str(folder / "apipop_schwide_margin.csv"), "total": "Freq"}
    cases: dict[str, dict[str, Any]] = {
        "w_post": {"method": "post_stratification", "margins": [stype]},
        "w_rake": {"method": "raking", "margins": [stype, schwide]},
        "w_cal": {"method": "linear", "margins": [stype], "totals": {"api99": 3914069}},
        "w_calraking": {
            "method": "raking",
            "margins": [stype, schwide],
            "bounds": {"lower": 1e-6, "upper": 1e6},
        },
    }
    for name, changes in cases.items():
        says = plan(tmp_path, key="cds", base_weight="pw", respondent=None, classes=None, **changes)
        found = weigh(folder / "apiclus1.csv", says)
        assert np.allclose(found.final, expected[name].to_numpy(), rtol=1e-9), name
