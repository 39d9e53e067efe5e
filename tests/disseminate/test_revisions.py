"""Table ``revision`` against cases worked out by hand, and against a comparison cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.disseminate.official import ADMINISTRATIVE_VALUE
from copstats.disseminate.revisions import (
    IDENTITY,
    REASONS,
    REVISION,
    definitions_changed,
    read_previous,
    revisable,
    revisions,
    with_first_release,
)
from copstats.errors import ReleaseError
from copstats.store.schemas import DIMENSIONS, INDICATOR_VALUE

LABELS = {"label_from": "2026-Q3", "label_to": "2026-Q4"}


def one(**changed: Any) -> dict[str, Any]:
    """A published cell of version 1 of a survey."""
    cell = dict.fromkeys(INDICATOR_VALUE.names) | dict.fromkeys(DIMENSIONS, "_T")
    return (
        cell
        | {"ref_area": "XAA", "indicator": "RCD4", "time_period": "2026", "survey": "COPS"}
        | {"unit_measure": "PCNT", "value": 12.0, "se": 1.0, "ci_lower": 10.0, "ci_upper": 14.0}
        | {"obs_status": "A", "obs_conf": "F", "standardised": "N", "source": "XAA_2026_COPS_v01_M"}
        | changed
    )


def withheld(reason: str = "n", **changed: Any) -> dict[str, Any]:
    figures = dict.fromkeys(("value", "se", "ci_lower", "ci_upper"))
    return one(obs_status="Q", obs_conf="A", reason=reason, **figures, **changed)


def counted(**changed: Any) -> dict[str, Any]:
    """A published count of version 1 of a submission."""
    key = dict.fromkeys(("sex", "age", "breakdown", "code"), "_T")
    said = {"measure": "le_victims", "time_period": "2025", "unit_measure": "CHILD", "value": 45.0}
    status = {"obs_status": "A", "obs_conf": "F", "source": "XAA_2025_HELPLINE_v01_M"}
    return {"ref_area": "XAA", **key, **said, **status, **changed}


def cells(*rows: dict[str, Any], counts: Sequence[dict[str, Any]] = ()) -> pa.Table:
    return revisable(
        pa.Table.from_pylist(list(rows), schema=INDICATOR_VALUE),
        pa.Table.from_pylist(list(counts), schema=ADMINISTRATIVE_VALUE),
    )


def revised(
    before: pa.Table | None, now: pa.Table, earlier: pa.Table | None = None, **changed: Any
) -> list[dict[str, Any]]:
    table = revisions(before, earlier, now, **(LABELS | {"definitions_changed": False} | changed))
    assert table.schema == REVISION
    return table.to_pylist()


V2 = {"source": "XAA_2026_COPS_v02_M"}
CASES = {
    "a new version": (one(), one(value=12.4, **V2), False, "new_version"),
    "other rules": (one(), one(value=12.4), True, "definitions"),
    "the same version again": (one(), one(value=12.4), False, "recomputed"),
    "a limit alone": (one(), one(ci_upper=14.1, **V2), False, "new_version"),
    "a flag alone": (one(), one(obs_status="U"), True, "definitions"),
    "withheld now": (one(), withheld(), True, "withheld"),
    "withheld in a new version": (one(), withheld(**V2), False, "withheld"),
    "shown at last": (withheld(), one(**V2), False, "shown"),
    "an objection": (one(), withheld("objection"), False, "objection"),
    "another status without a value": (withheld(), withheld() | {"obs_status": "L"}, True, "definitions"),
}


@pytest.mark.parametrize("case", CASES)
def test_reasons(case: str) -> None:
    before, after, changed, reason = CASES[case]
    (row,) = revised(cells(before), cells(after), definitions_changed=changed)
    assert row["revision_reason"] == reason in REASONS
    assert (row["release_from"], row["release_to"]) == ("2026-Q3", "2026-Q4")
    assert (row["source_from"], row["source_to"]) == (before["source"], after["source"])
    assert (row["obs_status_from"], row["obs_status_to"]) == (before["obs_status"], after["obs_status"])
    if after["value"] is not None:
        for name in ("value", "ci_lower", "ci_upper"):
            assert (row[f"{name}_from"], row[f"{name}_to"]) == (before[name], after[name])


def test_what_did_not_change_and_what_is_new_is_no_revision() -> None:
    before = cells(one(), withheld(sex="F"))
    now = cells(
        one(**V2),
        withheld("secondary", sex="F"),
        one(time_period="2027", source="XAA_2027_COPS_v01_M"),
        one(age="Y9T11"),
    )
    assert revised(before, now) == []
    assert revised(None, now) == []


def test_a_cell_that_is_gone() -> None:
    (row,) = revised(cells(one(), one(sex="F")), cells(one()))
    assert (row["revision_reason"], row["sex"], row["source_to"]) == ("removed", "F", None)
    assert row["obs_status_to"] is None


def test_counts_are_revised_like_values() -> None:
    girls, phone = {"sex": "F", "value": 40.0}, {"breakdown": "channel", "code": "phone"}
    hidden = {"value": None, "obs_status": "Q", "reason": "objection"}
    v2 = {"source": "XAA_2025_HELPLINE_v02_M"}
    before = cells(one(), counts=[counted(), counted(**girls), counted(**phone)])
    now = cells(
        one(),
        counts=[
            counted(value=50.0, **v2),
            counted(**girls, **v2) | hidden,
            counted(**phone, **v2),
            counted(source="XAA_2026_HELPLINE_v01_M", value=45.0),  # the next report has the year once more
        ],
    )
    found = revised(before, now)
    names = ("indicator", "survey", "sex", "code", "value_from", "value_to", "revision_reason")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("le_victims", "XAA_2025_HELPLINE", "F", "_T", None, None, "objection"),
        ("le_victims", "XAA_2025_HELPLINE", "_T", "_T", 45.0, 50.0, "new_version"),
    ]


def test_an_indicator_keeps_the_release_that_was_the_first_with_a_value(release: Path) -> None:
    before = read_previous(release)
    codes = before.indicators.select(["indicator"])
    first = dict(zip(*before.indicators.to_pydict().values(), strict=True))
    assert (first["RCD4"], first["HLP5"]) == ("2026-Q4", None)
    now = cells(one(indicator="HLP5"), withheld(indicator="RCD4"))
    later = with_first_release(codes, now, before, "2027-Q1")
    assert dict(zip(*later.to_pydict().values(), strict=True)) == first | {"HLP5": "2027-Q1"}


def test_earlier_revisions_are_carried_on() -> None:
    first = revisions(cells(one()), None, cells(one(value=12.4)), definitions_changed=True, **LABELS)
    found = revised(
        cells(one(value=12.4)),
        cells(one(value=13.0, **V2)),
        first,
        label_from="2026-Q4",
        label_to="2027-Q1",
    )
    assert [(r["release_to"], r["value_from"], r["value_to"]) for r in found] == [
        ("2026-Q4", 12.0, 12.4),
        ("2027-Q1", 12.4, 13.0),
    ]
    assert [r["revision_reason"] for r in found] == ["definitions", "new_version"]


@pytest.mark.parametrize("now", [cells(withheld("objection")), cells()], ids=["objection", "gone"])
def test_figures_that_are_withheld_are_not_published_once_more(now: pa.Table) -> None:
    first = revisions(cells(one()), None, cells(one(value=12.4)), definitions_changed=True, **LABELS)
    found = revised(cells(one(value=12.4)), now, first, label_from="2026-Q4", label_to="2027-Q1")
    assert len(found) == 2
    for row in found:
        assert [
            row[f"{name}_{end}"] for name in ("value", "ci_lower", "ci_upper") for end in ("from", "to")
        ] == [None] * 6


def test_a_label_may_hold_an_apostrophe() -> None:
    (row,) = revised(cells(one()), cells(one(value=1.0)), label_to="2026-Q4-d'été")
    assert row["release_to"] == "2026-Q4-d'été"


_VALUES = st.sampled_from([None, 1.0, 2.0])
_TABLES = st.dictionaries(
    st.tuples(st.sampled_from("MF"), st.sampled_from(["Y9T11", "Y12T14"])),
    st.tuples(_VALUES, st.sampled_from("AU"), st.sampled_from("12")),
)


@settings(max_examples=40, deadline=None)
@given(_TABLES, _TABLES)
def test_cell_by_cell(before: dict[Any, Any], now: dict[Any, Any]) -> None:
    def table(content: dict[Any, Any]) -> pa.Table:
        return cells(
            *(
                one(sex=sex, age=age, value=value, obs_status=status, source=f"XAA_2026_COPS_v0{version}_M")
                for (sex, age), (value, status, version) in content.items()
            )
        )

    expected = {key for key in before if key not in now or before[key][:2] != now[key][:2]}
    found = revised(table(before), table(now))
    assert {(row["sex"], row["age"]) for row in found} == expected
    assert len(found) == len(expected)
    assert {row["revision_reason"] for row in found} <= set(REASONS)
    for row in found:
        key = (row["sex"], row["age"])
        shown = key in now and now[key][0] is not None
        assert row["value_from"] == (before[key][0] if shown else None)
        assert row["value_to"] == (now[key][0] if shown else None)
    ordered = sorted(found, key=lambda row: tuple(row[name] for name in IDENTITY))
    assert found == ordered


def test_what_the_release_before_published_is_read_back(release: Path) -> None:
    before = read_previous(release)
    assert before.label == "2026-Q4"
    shown = pq.read_table(release / "parquet" / "indicator_value.parquet")
    assert before.cells.equals(revisable(shown, ADMINISTRATIVE_VALUE.empty_table()))
    assert before.revisions.num_rows == 0 and before.revisions.schema == REVISION
    assert not definitions_changed(before.release, before.release)
    other = before.release.set_column(
        before.release.schema.get_field_index("profile_version"), "profile_version", pa.array(["9.9.9"])
    )
    assert definitions_changed(before.release, other)
    assert revised(before.cells, before.cells) == []


def test_a_release_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "2026-Q3"
    (folder / "parquet").mkdir(parents=True)
    (folder / "parquet" / "release.parquet").write_bytes(b"PAR1")
    with pytest.raises(ReleaseError) as caught:
        read_previous(folder)
    assert (caught.value.code, caught.value.where) == ("R100", "2026-Q3")
