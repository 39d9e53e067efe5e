from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

import pytest

from copstats.errors import ConfidentialityError, CopstatsError, Retriable, UsageError
from copstats.store.files import STAGING
from copstats.store.home import FOLDERS, Home

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")


def refused(path: Path, *, create: bool = False) -> CopstatsError:
    with pytest.raises(CopstatsError) as error:
        Home.open(path, create=create)
    for text in (error.value.title, error.value.why, error.value.hint):
        assert text
    return error.value


def test_a_new_home_has_its_folders_and_settings(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "new/home", create=True)
    assert {p.name for p in home.path.iterdir()} == {*FOLDERS, "copstats.toml"}
    assert home.config.accept == "by_hand"
    assert home.config.zone == dt.UTC
    assert home.config.disclosure_profile == ""
    assert Home.open(home.path) == home
    assert Home.open(home.path, create=True) == home


@posix
def test_everything_in_a_home_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home.open(tmp_path / "home", create=True)
        home.registry.submissions()
        home.audit.append("home.created", "home")
        home.keys.signing_key()
        with home.lock():
            pass
    finally:
        os.umask(before)
    found = {p: p.stat().st_mode & 0o777 for p in (home.path, *home.path.rglob("*"))}
    assert len(found) > 10
    assert {path: mode for path, mode in found.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


def test_a_home_is_made_in_an_empty_folder_and_completed_after_an_interruption(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / f"{STAGING}0123456789abcdef").mkdir()
    home = Home.open(tmp_path, create=True)
    assert {p.name for p in home.path.iterdir()} == {*FOLDERS, "copstats.toml"}


def test_other_folders_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "absent").code == "U001"
    assert refused(tmp_path).code == "U001"
    (tmp_path / "thesis.docx").write_text("x")
    error = refused(tmp_path, create=True)
    assert isinstance(error, UsageError)
    assert (error.code, error.params["count"]) == ("U002", 1)
    assert refused(tmp_path / "thesis.docx", create=True).code == "U005"
    assert refused(tmp_path / "thesis.docx/home", create=True).code == "U005"
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("layout = 2", "U003"),
        ("layout = 'x'", "U004"),
        ("accept = 'by_hand'", "U004"),
        ("layout = 1\naccept = 'always'", "U004"),
        ("layout = 1\ntime_zone = 'Moon/Sea'", "U004"),
        ("layout = 1\nrelease_label = '('", "U004"),
        ("layout = 1\ndisclosure_profile = '../nchs'", "U004"),
        ("layout = 1\nunknown = 1", "U004"),
        ("layout = ", "U004"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(home: Home, setting: str, code: str) -> None:
    (home.path / "copstats.toml").write_text(setting)
    assert refused(home.path).code == code


def test_acceptance_is_changed_in_place(home: Home) -> None:
    settings = home.path / "copstats.toml"
    before = settings.read_text().splitlines()
    home.change_settings(accept="without_errors")
    assert home.config.accept == "without_errors"
    assert Home.open(home.path).config.accept == "without_errors"
    changed = [(a, b) for a, b in zip(before, settings.read_text().splitlines(), strict=True) if a != b]
    assert changed == [('accept = "by_hand"', 'accept = "without_errors"')]
    settings.write_text("layout = 1")
    home.change_settings(accept="without_errors")
    assert Home.open(home.path).config.accept == "without_errors"


@posix
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660])
def test_a_key_that_others_can_read_is_refused(home: Home, mode: int) -> None:
    home.keys.wrap("XAA", bytes(32))
    key = home.path / "keys/XAA.key"
    key.chmod(mode)
    error = refused(home.path)
    assert isinstance(error, ConfidentialityError)
    assert (error.code, error.where) == ("C003", "XAA.key")
    key.chmod(0o600)
    (home.path / "keys").chmod(0o750)
    assert refused(home.path).code == "C003"


def test_opening_removes_what_a_killed_process_left(home: Home) -> None:
    for folder in ("", *FOLDERS):
        room = home.path / folder / f"{STAGING}0123456789abcdef"
        (room / "content").mkdir(parents=True)
        (room / "content/half").write_text("x")
    (home.path / "warehouse/XAA_2026_COPS_v01_M.0123456789abcdef.parquet").write_bytes(b"x")
    Home.open(home.path)
    assert [p for p in home.path.rglob("*") if STAGING in p.name or p.suffix == ".parquet"] == []


def test_the_lock_of_the_home(home: Home) -> None:
    with home.lock(), pytest.raises(Retriable), Home.open(home.path).lock():
        pass
    with home.lock():
        pass


def test_a_home_adds_its_own_areas(home: Home) -> None:
    (home.path / "areas.csv").write_text("area,name,itu_region\nXAA,Aland,EUR\nNAM,Namibia,AFR\n", "utf-8")
    assert home.areas["XAA"].groups == {"itu_region": "EUR"}
    assert home.areas["NAM"].name == "Namibia"
