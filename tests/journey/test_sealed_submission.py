"""From the office's file to the receiving side: what a sealed file gives, and what is refused."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from copstats import steps
from copstats.errors import CopstatsError
from copstats.project import project_root
from copstats.steps.sealing import Seals
from copstats.store.archive import pack, unpack
from copstats.store.home import Home
from copstats.store.keys import KeyStore
from copstats.store.parcel import open_parcel, write_parcel

SAMPLES = project_root() / "sample_data"
SUBMISSION = SAMPLES / "submissions" / "XAA_2023_COPS_v01"
ID = "XAA_2023_COPS_v01_M"
TODAY = dt.date(2026, 4, 1)
PARTS = ("seal.json", "seal.sig", "payload.age")


class Sides:
    """An office with its keys and a receiving side that has registered them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "office").mkdir(mode=0o700)
        self.folder = folder
        self.office = KeyStore(folder / "office")
        self.office.create("XAA")
        self.office.create("XAA.national-signing")
        self.home = Home.open(folder / "home", create=True)
        shutil.copy(SAMPLES / "areas.csv", self.home.path)
        self.home.keys.create("receiving")
        self.home.keys.registered.register(self.office.export_public("XAA"), TODAY)  # type: ignore[arg-type]

    def seals(self, into: str) -> Seals:
        (self.folder / into).mkdir(exist_ok=True)
        return Seals(self.office, self.home.keys.export_public("receiving"), self.folder / into)  # type: ignore[arg-type]

    def seal(self, submission: Path = SUBMISSION, into: str = "out") -> Path:
        areas = steps.area_table(SAMPLES / "areas.csv")
        sealed = steps.seal(submission, self.seals(into), areas=areas)
        assert sealed.path is not None
        return sealed.path


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    return Sides(tmp_path_factory.mktemp("sides") / "one")


@pytest.fixture(scope="module")
def sealed(sides: Sides) -> Path:
    return sides.seal()


@pytest.fixture
def fresh(sides: Sides, tmp_path: Path) -> Home:
    """A receiving side with the same keys and nothing taken in yet."""
    home = Home.open(tmp_path / "home", create=True)
    shutil.copy(SAMPLES / "areas.csv", home.path)
    shutil.rmtree(home.path / "keys")
    shutil.copytree(sides.home.path / "keys", home.path / "keys")
    return Home.open(home.path)


def refused(home: Home, path: Path) -> str:
    """Take in a file that must be refused: logged, and nothing changed. Return the code."""
    before = {p: p.stat().st_mtime_ns for p in (home.path / "waves").rglob("*")}
    states = [(s.id, s.state) for s in home.registry.submissions()]
    with pytest.raises(CopstatsError) as caught:
        steps.ingest(home.path, path)
    last = list(home.audit.entries())[-1]
    assert last["action"] == "parcel.refused"
    assert last["facts"] == {"code": caught.value.code}
    assert {p: p.stat().st_mtime_ns for p in (home.path / "waves").rglob("*")} == before
    assert [(s.id, s.state) for s in home.registry.submissions()] == states
    assert home.audit.verify() == []
    return caught.value.code


def test_sealing_changes_no_estimate(sides: Sides, sealed: Path, fresh: Home, tmp_path: Path) -> None:
    raw = Home.open(tmp_path / "raw", create=True)
    shutil.copy(SAMPLES / "areas.csv", raw.path)
    tables = []
    for home, path in ((fresh, sealed), (raw, SUBMISSION)):
        taken = steps.ingest(home.path, path)
        assert taken.state == "waiting"
        steps.decide(home.path, ID, accept=True, who="test")
        steps.estimate(home.path, ID, as_of_year=2026)
        tables.append(home.warehouse.read([ID]))
    assert tables[0].num_rows > 500
    # PSUs and strata stand in another order, so that sums differ by their last digits.
    for field in tables[0].schema:
        one, other = (table[field.name] for table in tables)
        if pa.types.is_floating(field.type):
            expected = pytest.approx(other.fill_null(-1).to_pylist(), rel=1e-9)
            assert one.fill_null(-1).to_pylist() == expected, field.name
        else:
            assert one.equals(other), field.name
    double, single = fresh.registry.provenance(ID), raw.registry.provenance(ID)
    assert double is not None
    assert single is not None
    assert (double.custody, single.custody) == ("double", "single")
    assert double.agreement == "agrees"
    assert double.signing_key == sides.office.export_public("XAA").fingerprint


def test_neither_side_alone_can_link_and_the_same_again_changes_nothing(
    sides: Sides, sealed: Path, fresh: Home, tmp_path: Path
) -> None:
    assert steps.ingest(fresh.path, sealed).state == "waiting"
    parcel = open_parcel(sealed)
    parcel.verify(sides.office.national_signing_key("XAA").public_key())
    sent = parcel.tables(fresh.keys.receiving_identity())["child"]
    kept = fresh.waves.open(ID).read("child").read_all()
    assert not set(sent["child_id"].to_pylist()) & set(kept["child_id"].to_pylist())
    assert len(set(kept["child_id"].to_pylist())) == sent.num_rows == kept.num_rows
    assert sorted(sent["psu"].to_pylist()) == sorted(kept["psu"].to_pylist())
    assert steps.ingest(fresh.path, sealed).state == "waiting, unchanged"
    # sealed once more, with other data keys
    again = resealed(sides, sealed, tmp_path / sealed.name)
    assert again.read_bytes() != sealed.read_bytes()
    assert steps.ingest(fresh.path, again).state == "waiting, unchanged"


def truncated(packed: bytes) -> bytes:
    return packed[:-100]


def with_other_head(packed: bytes) -> bytes:
    parts = unpack(packed, PARTS)
    return pack(parts | {"seal.json": parts["seal.json"].replace(b'"version":1', b'"version":2')})


def with_other_area(packed: bytes) -> bytes:
    parts = unpack(packed, PARTS)
    return pack(parts | {"seal.json": parts["seal.json"].replace(b"XAA", b"XBB")})


def with_other_payload(packed: bytes) -> bytes:
    parts = unpack(packed, PARTS)
    payload = bytearray(parts["payload.age"])
    payload[len(payload) // 2] ^= 1
    return pack(parts | {"payload.age": bytes(payload)})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (truncated, "S310"),
        (with_other_head, "S313"),
        (with_other_area, "C311"),
        (with_other_payload, "C313"),
        (lambda _: b"PK\x03\x04 no parcel", "S310"),
        (lambda _: b"", "S310"),
    ],
    ids=["truncated", "other head", "other area", "other payload", "no parcel", "empty"],
)
def test_a_changed_file_is_refused(
    sealed: Path, fresh: Home, tmp_path: Path, change: Callable[[bytes], bytes], code: str
) -> None:
    path = tmp_path / sealed.name
    path.write_bytes(change(sealed.read_bytes()))
    assert refused(fresh, path) == code


def test_a_file_of_an_unknown_or_revoked_key_is_refused(sides: Sides, sealed: Path, fresh: Home) -> None:
    fingerprint = sides.office.export_public("XAA").fingerprint
    fresh.keys.registered.revoke("XAA", fingerprint, TODAY)
    assert refused(fresh, sealed) == "C312"
    shutil.rmtree(fresh.keys.registered.folder)
    assert refused(fresh, sealed) == "C311"


def test_a_file_for_another_receiving_side_is_refused(sides: Sides, sealed: Path, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "other", create=True)
    shutil.copy(SAMPLES / "areas.csv", other.path)
    other.keys.create("receiving")
    other.keys.registered.register(sides.office.export_public("XAA"), TODAY)  # type: ignore[arg-type]
    assert refused(other, sealed) == "S314"


def test_a_country_that_signs_for_another_is_refused(sides: Sides, sealed: Path, fresh: Home) -> None:
    """XBB has registered the key of XAA as its own: the area in the signed head counts."""
    public = sides.office.export_public("XAA")
    fresh.keys.registered.folder.joinpath("XAA.json").unlink()
    fresh.keys.registered.register(msgspec_area(public, "XBB"), TODAY)
    assert refused(fresh, sealed) == "C311"


def msgspec_area(public: object, area: str) -> object:
    from dataclasses import replace

    return replace(public, area=area)  # type: ignore[type-var]


def resealed(sides: Sides, sealed: Path, path: Path, **changes: object) -> Path:
    """Write a parcel as a hostile or faulty office could: well signed, but with another head or records."""
    parcel = open_parcel(sealed)
    parcel.verify(sides.office.national_signing_key("XAA").public_key())
    tables = parcel.tables(sides.home.keys.receiving_identity())
    change = changes.pop("records", None)
    if change is not None:
        tables["child"] = change(tables["child"])  # type: ignore[operator]
    head = msgspec.structs.replace(parcel.head, **changes)
    signing = sides.office.national_signing_key("XAA")
    write_parcel(path, head, tables, signing, sides.home.keys.export_public("receiving"))  # type: ignore[arg-type]
    return path


def with_name(table: pa.Table) -> pa.Table:
    return table.append_column("child_name", pa.array(["x"] * table.num_rows))


def with_texts_for_codes(table: pa.Table) -> pa.Table:
    column = table.column_names.index("sex")
    return table.set_column(column, "sex", pa.array(["male"] * table.num_rows))


def with_other_answers(table: pa.Table) -> pa.Table:
    column = table.column_names.index("rcd_cybervic")
    return table.set_column(column, "rcd_cybervic", pa.array([99] * table.num_rows, pa.int32()))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"records": with_name}, "S316"),
        ({"records": with_texts_for_codes}, "S316"),
        ({"records": with_other_answers}, "C317"),
        ({"manifest": {"kind": "survey"}}, "S315"),
        ({"framework": "cop-2031"}, "S313"),
        ({"summary": "{}"}, "U160"),
    ],
    ids=["column", "type", "answers", "manifest", "framework", "summary"],
)
def test_a_signed_file_that_holds_something_else_is_refused(  # noqa: PLR0917
    sides: Sides, sealed: Path, fresh: Home, tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    assert refused(fresh, resealed(sides, sealed, tmp_path / sealed.name, **changes)) == code


def test_an_older_version_never_takes_the_place_of_a_newer(
    sides: Sides, sealed: Path, fresh: Home, tmp_path: Path
) -> None:
    head = open_parcel(sealed).head
    summary = head.summary.replace(ID, "XAA_2023_COPS_v02_M")
    newer = resealed(
        sides,
        sealed,
        tmp_path / "newer.copsealed",
        submission_id="XAA_2023_COPS_v02_M",
        version=2,
        manifest=head.manifest | {"version": 2},
        summary=summary,
    )
    assert steps.ingest(fresh.path, newer).state == "waiting"
    assert refused(fresh, sealed) == "S317"


def test_other_definitions_leave_the_decision_to_a_person(
    sides: Sides, sealed: Path, fresh: Home, tmp_path: Path
) -> None:
    fresh.change_settings(accept="without_errors")
    summary = open_parcel(sealed).head.summary.replace('"code_version":"', '"code_version":"0.0.')
    path = resealed(sides, sealed, tmp_path / sealed.name, summary=summary)
    assert steps.ingest(fresh.path, path).state == "waiting"
    provenance = fresh.registry.provenance(ID)
    assert provenance is not None
    assert provenance.agreement == "definitions"


def test_a_submission_with_errors_is_not_sealed(sides: Sides, tmp_path: Path) -> None:
    areas = steps.area_table(SAMPLES / "areas.csv")
    faulty = tmp_path / "faulty"
    faulty.mkdir()
    (faulty / "manifest.yaml").write_bytes((SUBMISSION / "manifest.yaml").read_bytes())
    header, *rows = (SUBMISSION / "child.csv").read_text("utf-8").splitlines()
    position = header.split(",").index("age")
    first = rows[0].split(",")
    first[position] = "90"
    (faulty / "child.csv").write_text("\n".join([header, ",".join(first), *rows[1:60]]), "utf-8")
    sealed = steps.seal(faulty, sides.seals("faulty"), areas=areas)
    assert sealed.path is None
    assert sealed.prepared is None
    assert not list((sides.folder / "faulty").iterdir())


def test_an_office_without_keys_is_told_before_the_check(sides: Sides, tmp_path: Path) -> None:
    areas = steps.area_table(SAMPLES / "areas.csv")
    with pytest.raises(CopstatsError) as caught:
        steps.seal(SAMPLES / "submissions" / "XGG_2025_COPS_v01", sides.seals("none"), areas=areas)
    assert caught.value.code == "C001"
