"""The ledger knows what was published of each wave, and by which release; a candidate was not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from copstats.errors import ConfidentialityError, ReleaseError, UsageError
from copstats.store.home import Home
from copstats.store.rotation import rotate_wrapping
from copstats.store.schemas import ATTACKER, DIMENSIONS, INDICATOR_VALUE
from copstats.store.vintage import Content

WAVE, FIRST, SECOND = "XAA_2026_COPS", "XAA_2026_COPS_v01_M", "XAA_2026_COPS_v02_M"
OTHER, OTHER_FIRST = "XBB_2026_COPS", "XBB_2026_COPS_v01_M"


def content(value: float, submission_id: str = FIRST, indicator: str = "RCD4") -> Content:
    texts: dict[str, Any] = {f.name: "x" for f in INDICATOR_VALUE if f.type == pa.string()}
    texts |= dict.fromkeys(DIMENSIONS, "_T") | {"indicator": indicator}
    values = texts | {"value": value, "source": submission_id}
    attacker = texts | {"submission_id": submission_id, "tier": "A", "unit": "PERCENT", "n": 800}
    attacker |= {"disaggregation": "total", "weight": 812.5, "coded_limit": None}
    return Content(
        pa.Table.from_pylist([values], INDICATOR_VALUE), pa.Table.from_pylist([attacker], ATTACKER)
    )


def propose(home: Home, value: float, fingerprint: str = "f1", submission_id: str = FIRST) -> int:
    wave = submission_id.partition("_v")[0]
    return home.ledger.propose(
        wave, content(value, submission_id), submission_id=submission_id, fingerprint=fingerprint
    )


def publish(home: Home, label: str, vintages: dict[str, int], *, confirm: bool = True) -> None:
    with home.releases.staging(label) as draft:
        home.ledger.prepare(label, vintages)
        draft.publish()
    if confirm:
        home.ledger.confirm(label, vintages)


def shown(table: pa.Table) -> list[float]:
    found: list[float] = table["value"].to_pylist()
    return found


def files(home: Home) -> list[Path]:
    return sorted(p for p in (home.path / "ledger").iterdir() if p.name != ".lock")


def test_a_release_gives_back_the_vintages_that_it_carried(home: Home) -> None:
    publish(home, "2026-Q4", {WAVE: propose(home, 10.0), OTHER: propose(home, 20.0, "f1", OTHER_FIRST)})
    publish(home, "2027-Q1", {WAVE: propose(home, 11.0, "f2", SECOND), OTHER: 1})
    ledger = Home.open(home.path).ledger
    assert ledger.labels() == ["2026-Q4", "2027-Q1"]
    assert ledger.carried("2027-Q1") == {WAVE: 2, OTHER: 1}
    assert shown(ledger.values("2026-Q4")) == [10.0, 20.0]
    assert shown(ledger.values("2027-Q1")) == [11.0, 20.0]
    assert ledger.attacker("2026-Q4").schema.equals(ATTACKER)
    assert ledger.attacker("2027-Q1")["submission_id"].to_pylist() == [SECOND, OTHER_FIRST]
    assert [v.submission_id for v in ledger.all_published(WAVE)] == [FIRST, SECOND]
    last = ledger.published(WAVE)
    assert last is not None
    assert (last.number, last.fingerprint, last.withdrawn) == (2, "f2", 0)


def test_a_candidate_counts_once_its_release_is_there(home: Home) -> None:
    assert propose(home, 10.0) == 1
    assert home.ledger.published(WAVE) is None
    home.ledger.prepare("2026-Q4", {WAVE: 1})
    assert home.ledger.published(WAVE) is None
    assert home.ledger.labels() == []
    with pytest.raises(ReleaseError) as error:
        home.ledger.carried("2026-Q4")
    assert error.value.code == "R093"
    with pytest.raises(ReleaseError):
        home.ledger.confirm("2026-Q4", {WAVE: 1})
    publish(home, "2026-Q4", {WAVE: 1}, confirm=False)
    assert home.ledger.labels() == ["2026-Q4"]
    # What a killed process did not confirm is confirmed at the next start.
    shutil.rmtree(Home.open(home.path).releases.folder("2026-Q4"))
    assert home.ledger.carried("2026-Q4") == {WAVE: 1}


def test_a_failed_release_leaves_nothing_behind_that_counts(home: Home) -> None:
    publish(home, "2026-Q4", {WAVE: propose(home, 10.0)})
    assert propose(home, 11.0, "f2") == 2
    home.ledger.prepare("2027-Q1", {WAVE: 2})
    # The release fails; other figures become the next vintage, under another label.
    assert propose(home, 12.0, "f3") == 2
    publish(home, "2027-Q2", {WAVE: 2})
    (home.path / "releases" / "2027-Q1").mkdir()
    assert Home.open(home.path).ledger.labels() == ["2026-Q4", "2027-Q2"]
    assert shown(home.ledger.content(WAVE, 2).values) == [12.0]
    assert len(list((home.path / "ledger").glob("*.parquet"))) == 2 * 2


def test_what_a_release_carried_is_never_changed(home: Home) -> None:
    publish(home, "2026-Q4", {WAVE: propose(home, 10.0)})
    home.ledger.prepare("2026-Q4", {WAVE: 1})
    propose(home, 11.0, "f2")
    with pytest.raises(ReleaseError) as error:
        home.ledger.prepare("2026-Q4", {WAVE: 2})
    assert error.value.code == "R090"
    with pytest.raises(UsageError) as missing:
        home.ledger.prepare("2027-Q1", {WAVE: 3})
    assert missing.value.code == "U019"
    assert home.ledger.carried("2026-Q4") == {WAVE: 1}


def test_vintages_are_not_readable_in_the_home(home: Home) -> None:
    tables = content(31.25, indicator="CANARY-INDICATOR")
    home.ledger.propose(WAVE, tables, submission_id=FIRST, fingerprint="f1")
    for path in files(home):
        data = path.read_bytes()
        assert [needle for needle in (b"CANARY-INDICATOR", b"coded_limit", b"31.25") if needle in data] == []


def test_only_tables_of_the_submission_get_in(home: Home) -> None:
    good, other = content(10.0), content(10.0, OTHER_FIRST)
    for tables, submission_id in (
        (Content(pa.table({"child_id": ["a"]}), good.attacker), FIRST),
        (Content(good.values, good.attacker.drop_columns(["n"])), FIRST),
        (Content(other.values, good.attacker), FIRST),
        (Content(good.values, other.attacker), FIRST),
        (other, OTHER_FIRST),
    ):
        with pytest.raises(ConfidentialityError) as error:
            home.ledger.propose(WAVE, tables, submission_id=submission_id, fingerprint="f1")
        assert error.value.code == "C009"
    for wave in ("../XAA", "XAA_2026_COPS_v01_M"):
        with pytest.raises(UsageError):
            home.ledger.propose(wave, good, submission_id=FIRST, fingerprint="f1")


@pytest.mark.parametrize(("old", "new"), [('"f1"', '"f2"'), ('"number":1', '"number":2')])
def test_a_changed_entry_or_file_is_refused(home: Home, old: str, new: str) -> None:
    propose(home, 10.0)
    pointer = home.path / f"ledger/{WAVE}.json"
    text = pointer.read_text()
    pointer.write_text(text.replace(old, new))
    with pytest.raises(ConfidentialityError):
        home.ledger.content(WAVE, 1)
    pointer.write_text(text)
    values, attacker = (next((home.path / "ledger").glob(f"*.{name}.*")) for name in ("values", "attacker"))
    shutil.copyfile(values, attacker)
    with pytest.raises(ConfidentialityError):
        home.ledger.content(WAVE, 1)
    (home.path / "ledger/2026-Q4.label.json").write_text("{}")
    with pytest.raises(ConfidentialityError):
        home.ledger.published(WAVE)


def test_a_rotated_key_opens_what_was_published_before(home: Home) -> None:
    publish(home, "2026-Q4", {WAVE: propose(home, 10.0)})
    before = (home.path / f"ledger/{WAVE}.json").read_bytes()
    assert rotate_wrapping(home, home.keys, "XAA") == 2
    assert (home.path / f"ledger/{WAVE}.json").read_bytes() != before
    assert shown(Home.open(home.path).ledger.values("2026-Q4")) == [10.0]
    publish(home, "2027-Q1", {WAVE: propose(home, 11.0, "f2")})
    assert shown(home.ledger.values("2027-Q1")) == [11.0]


def test_a_destroyed_wave_keeps_its_numbers_and_nothing_else(home: Home) -> None:
    publish(home, "2026-Q4", {WAVE: propose(home, 10.0), OTHER: propose(home, 20.0, "f1", OTHER_FIRST)})
    home.ledger.destroy(WAVE)
    home.ledger.destroy("XCC_2026_COPS")
    assert [p.name for p in files(home) if p.name.startswith(WAVE)] == [f"{WAVE}.json"]
    last = home.ledger.published(WAVE)
    assert last is not None
    assert not last.kept
    assert b"wrapped" not in (home.path / f"ledger/{WAVE}.json").read_bytes()
    with pytest.raises(UsageError):
        home.ledger.content(WAVE, 1)
    assert shown(home.ledger.values("2026-Q4")) == [20.0]
    assert propose(home, 11.0, "f2", SECOND) == 2


def test_a_home_from_before_the_ledger_gets_one(home: Home) -> None:
    shutil.rmtree(home.path / "ledger")
    old = Home.open(home.path)
    assert old.ledger.published(WAVE) is None
    assert old.ledger.rewrap("XAA") == 0
    publish(old, "2026-Q4", {WAVE: propose(old, 10.0)})
    assert shown(old.ledger.values("2026-Q4")) == [10.0]
