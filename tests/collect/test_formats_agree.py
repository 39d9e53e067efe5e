"""The same answers give the same harmonised table, whatever format the file has."""

from __future__ import annotations

import string
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copstats.collect.harmonise import harmonise
from copstats.framework import load_framework
from copstats.store.engine import memory_connection
from tests.collect.samples import EXTENSIONS, encoded, manifest, opened, write

CROSSWALK = """\
framework: cop-2026
child:
  child_id: {source: key, copy: true}
  sex:
    source: sex code
    map: {1: 1, 2: 2, 3: 3, 8: -8}
  net_3m:
    source: net
    map: {Yes: 1, No: 0, "01": -9, ".a": -8}
    blank: -9
  ses_q:
    source: score
    range: [{code: 1, to: 0}, {code: 2, from: 0.5, to: 3}, {code: 3, from: 4}]
  in_school:
    sql: "CASE WHEN score > 1 OR net IN ('Yes', 'NA') THEN 1 WHEN score <= 1 THEN 0 END"
  hh_id: {sql: "ea || '/' || key"}
"""

codes = st.one_of(st.none(), st.sampled_from([1.0, 2.0, 3.0, 8.0, 9.0]))
scores = st.one_of(st.none(), st.sampled_from([-3.5, 0.0, 0.25, 0.5, 2.0, 3.75, 4.0, 1e6]))
weights = st.sampled_from([0.0, 0.125, 1.0, 2.5, 12345.0])
ages = st.one_of(st.none(), st.sampled_from([9.0, 13.0, 13.5, 17.0]))
answers = st.one_of(
    st.none(), st.sampled_from(["Yes", "No", "01", "1", "NA", "=1+1", "été", " Yes", 'say "no"', "a,b;c"])
)
keys = st.text(string.ascii_letters + "0123456789", min_size=1, max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    size = draw(st.integers(1, 5))

    def column(cells: st.SearchStrategy) -> list[Any]:
        return draw(st.lists(cells, min_size=size, max_size=size))

    table = {
        "key": ["k" + key for key in column(keys)],
        "str": column(st.sampled_from([1.0, 2.0])),
        "ea": column(st.sampled_from([1.0, 20.0, 123456789012.0])),
        "w": column(weights),
        "age": column(ages),
        "sex_code": column(codes),
        "net": column(answers),
        "score": column(scores),
    }
    if not any(isinstance(cell, str) for cell in table["net"]):
        table["net"][0] = "No"
    return table


def harmonised_rows(extension: str, table: dict[str, list[Any]], folder: Path) -> tuple[list, list]:
    name = f"child.{extension}"
    crosswalk = CROSSWALK.replace("sex code", "sex_code")
    says = manifest(files__child={"path": name})
    place = write(folder / extension, {name: encoded(extension, table, folder)}, says, crosswalk)
    connection = memory_connection(threads=1)
    harmonise(opened(place), load_framework(), connection)
    described = connection.execute("DESCRIBE child").fetchall()
    return [row[:2] for row in described], connection.execute("SELECT * FROM child").fetchall()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_six_formats_give_one_table(table):
    with tempfile.TemporaryDirectory() as folder:
        results = {extension: harmonised_rows(extension, table, Path(folder)) for extension in EXTENSIONS}
    expected = results["csv"]
    assert {extension: result for extension, result in results.items() if result != expected} == {}
    names = [name for name, _ in expected[0]]
    for row, record in zip(expected[1], zip(*table.values(), strict=True), strict=True):
        told = dict(zip(names, row, strict=True))
        _independent(told, dict(zip(table, record, strict=True)))


def _independent(told: dict[str, Any], cell: dict[str, Any]) -> None:
    """Recode one record in plain Python, in words of its own."""
    net = cell["net"].strip() if cell["net"] is not None else None
    assert told["child_id"] == cell["key"]
    assert told["psu"] == f"{cell['ea']:.0f}"
    assert told["hh_id"] == f"{cell['ea']:.0f}/{cell['key']}"
    assert told["weight"] == cell["w"]
    assert told["age"] == (cell["age"] if cell["age"] != 13.5 else None)
    assert told["age__unread"] == (cell["age"] == 13.5)
    assert told["sex"] == {1: 1, 2: 2, 3: 3, 8: -8}.get(cell["sex_code"])
    assert told["sex__unread"] == (cell["sex_code"] == 9)
    assert told["net_3m"] == {"Yes": 1, "No": 0, "01": -9, None: -9}.get(net)
    assert told["net_3m__unread"] == (net not in ("Yes", "No", "01", None))
    score = cell["score"]
    named = score is not None and (score <= 0 or 0.5 <= score <= 3 or score >= 4)
    assert (told["ses_q"] is not None) == named
    assert told["ses_q__unread"] == (score is not None and not named)
    school = 1 if net in ("Yes", "NA") or (score or 0) > 1 else None if score is None else 0
    assert told["in_school"] == school
