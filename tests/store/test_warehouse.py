from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.home import Home
from copstats.store.schemas import ESTIMATES

WAVE, OTHER = "XAA_2026_COPS_v01_M", "XBB_2026_COPS_v01_M"
Make = Callable[..., pa.Table]


def files(home: Home) -> list[Path]:
    return sorted(p for p in (home.path / "warehouse").iterdir() if p.name != ".lock")


def test_estimates_come_back_in_the_order_asked_for(home: Home, estimates: Make) -> None:
    home.warehouse.write(WAVE, "f1", estimates(WAVE, (0.1, 0.2)))
    home.warehouse.write(OTHER, "f1", estimates(OTHER, (0.3,)))
    found = Home.open(home.path).warehouse.read([OTHER, WAVE])
    assert found.schema.equals(ESTIMATES)
    assert found["estimate"].to_pylist() == [0.3, 0.1, 0.2]
    assert found.slice(1).equals(estimates(WAVE, (0.1, 0.2)))
    assert home.warehouse.read([]).equals(ESTIMATES.empty_table())


def test_a_repeated_run_is_recognised(home: Home, estimates: Make) -> None:
    assert not home.warehouse.has(WAVE, "f1")
    home.warehouse.write(WAVE, "f1", estimates())
    assert home.warehouse.has(WAVE, "f1")
    assert not home.warehouse.has(WAVE, "f2")
    assert not home.warehouse.has(OTHER, "f1")


def test_new_estimates_take_the_place_of_old_ones(home: Home, estimates: Make) -> None:
    home.warehouse.write(WAVE, "f1", estimates(values=(0.1,)))
    home.warehouse.write(WAVE, "f2", estimates(values=(0.2,)))
    assert home.warehouse.read([WAVE])["estimate"].to_pylist() == [0.2]
    assert not home.warehouse.has(WAVE, "f1")
    assert len(files(home)) == 2


def test_estimates_are_not_readable_in_the_home(home: Home, estimates: Make) -> None:
    home.warehouse.write(WAVE, "f1", estimates(indicator="CANARY-INDICATOR"))
    for path in files(home):
        data = path.read_bytes()
        assert [needle for needle in (b"CANARY-INDICATOR", b"largest_psu_share") if needle in data] == []


def test_only_estimates_of_the_submission_get_in(home: Home, estimates: Make) -> None:
    good = estimates()
    for table in (
        pa.table({"child_id": ["a"], "age": [9]}),
        good.drop_columns(["deff"]),
        good.append_column("child_id", pa.array(["a"])),
        estimates(OTHER),
        pa.concat_tables([good, estimates(OTHER)]),
        ESTIMATES.empty_table(),
        good.set_column(0, ESTIMATES.field(0), pa.array([None], pa.string())),
    ):
        with pytest.raises(ConfidentialityError) as error:
            home.warehouse.write(WAVE, "f1", table)
        assert error.value.code == "C007"
    assert files(home) == []


def test_missing_estimates_are_said(home: Home) -> None:
    with pytest.raises(UsageError) as error:
        home.warehouse.read([WAVE])
    assert (error.value.code, error.value.where) == ("U018", WAVE)


def test_an_old_file_or_another_fingerprint_is_refused(home: Home, estimates: Make) -> None:
    home.warehouse.write(WAVE, "f1", estimates(values=(0.1,)))
    pointer = home.path / f"warehouse/{WAVE}.json"
    data = next(p for p in files(home) if p.suffix == ".parquet")
    old = data.read_bytes()
    text = pointer.read_text()
    pointer.write_text(text.replace('"f1"', '"f2"'))
    with pytest.raises(ConfidentialityError):
        home.warehouse.read([WAVE])
    pointer.write_text(text)
    assert home.warehouse.read([WAVE]).num_rows == 1
    home.warehouse.write(WAVE, "f2", estimates(values=(0.2,)))
    next(p for p in files(home) if p.suffix == ".parquet").write_bytes(old)
    with pytest.raises(ConfidentialityError):
        home.warehouse.read([WAVE])


@pytest.mark.parametrize("text", ["", "{}", '{"token": "../../x", "fingerprint": "f", "seal": {}}'])
def test_a_changed_entry_is_refused(home: Home, estimates: Make, text: str) -> None:
    home.warehouse.write(WAVE, "f1", estimates())
    (home.path / f"warehouse/{WAVE}.json").write_text(text)
    for use in (lambda: home.warehouse.read([WAVE]), lambda: home.warehouse.has(WAVE, "f1")):
        with pytest.raises(ConfidentialityError) as error:
            use()
        assert error.value.code == "C005"


def test_estimates_of_another_submission_are_refused(home: Home, estimates: Make) -> None:
    second = "XAA_2026_COPS_v02_M"
    home.warehouse.write(WAVE, "f1", estimates())
    for path in files(home):
        shutil.copyfile(path, path.with_name(path.name.replace(WAVE, second)))
    with pytest.raises(ConfidentialityError) as error:
        home.warehouse.read([second])
    assert error.value.code == "C005"


def test_destroyed_estimates_are_gone(home: Home, estimates: Make) -> None:
    home.warehouse.write(WAVE, "f1", estimates())
    home.warehouse.destroy(WAVE)
    home.warehouse.destroy(WAVE)
    assert files(home) == []
    assert not home.warehouse.has(WAVE, "f1")


def test_readers_beside_a_writer_see_one_state(home: Home, estimates: Make) -> None:
    home.warehouse.write(WAVE, "f0", estimates(values=(0.0, 0.0)))

    def write() -> None:
        for n in range(1, 20):
            Home.open(home.path).warehouse.write(WAVE, f"f{n}", estimates(values=(float(n), float(n))))

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while writer.is_alive():
        one, two = home.warehouse.read([WAVE])["estimate"].to_pylist()
        assert one == two
        seen.append(one)
    writer.join()
    assert seen == sorted(seen)
    assert home.warehouse.has(WAVE, "f19")
