from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from copstats.errors import Retriable
from copstats.store.files import STAGING, atomic_write, recover, remove, staged_folder
from copstats.store.lock import FileLock

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_write_replaces_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"old and longer")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@posix
def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        atomic_write(tmp_path / "file", b"x")
        with staged_folder(tmp_path / "folder") as staged:
            (staged.folder / "by_others").write_bytes(b"x")
            (staged.folder / "sub").mkdir(mode=0o777)
            staged.commit()
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o600
    assert mode(tmp_path / "folder") == 0o700
    assert mode(tmp_path / "folder/sub") == 0o700
    assert mode(tmp_path / "folder/by_others") == 0o600


def test_a_folder_appears_only_with_commit(tmp_path: Path) -> None:
    final = tmp_path / "final"
    with staged_folder(final) as staged:
        (staged.folder / "a").write_text("1")
        assert not final.exists()
        staged.commit()
        assert (final / "a").read_text() == "1"
    with staged_folder(tmp_path / "other") as staged:
        (staged.folder / "a").write_text("1")
    assert [p.name for p in tmp_path.iterdir()] == ["final"]


def test_a_folder_is_discarded_with_an_exception(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), staged_folder(tmp_path / "final") as staged:
        (staged.folder / "a").write_text("1")
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [[], ["x"]])
def test_an_existing_folder_is_never_renamed_over(tmp_path: Path, content: list[str]) -> None:
    final = tmp_path / "final"
    final.mkdir()
    for name in content:
        (final / name).write_text("mine")
    with staged_folder(final) as staged:
        (staged.folder / "theirs").write_text("1")
        with pytest.raises(FileExistsError):
            staged.commit()
    assert sorted(p.name for p in final.iterdir()) == content


def test_of_two_writers_one_commits(tmp_path: Path) -> None:
    final = tmp_path / "final"
    with staged_folder(final) as one, staged_folder(final) as two:
        (one.folder / "one").write_text("1")
        (two.folder / "two").write_text("2")
        one.commit()
        with pytest.raises(FileExistsError):
            two.commit()
    assert [p.name for p in final.iterdir()] == ["one"]


def test_remove_takes_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "folder/sub").mkdir(parents=True)
    (tmp_path / "folder/sub/file").write_text("x")
    (tmp_path / "file").write_text("x")
    remove(tmp_path / "folder")
    remove(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_recovery_removes_what_nobody_owns_and_leaves_what_somebody_writes(tmp_path: Path) -> None:
    abandoned = tmp_path / f"{STAGING}0123456789abcdef"
    (abandoned / "content").mkdir(parents=True)
    (abandoned / "content/file").write_text("x")
    before_its_lock = tmp_path / f"{STAGING}fedcba9876543210"
    before_its_lock.mkdir()
    with staged_folder(tmp_path / "final") as staged:
        (staged.folder / "mine").write_text("1")
        assert recover(tmp_path) == 2
        staged.commit()
    assert [p.name for p in tmp_path.iterdir()] == ["final"]


def test_recovery_beside_many_writers_spoils_nothing(tmp_path: Path) -> None:
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            recover(tmp_path)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for n in range(150):
            atomic_write(tmp_path / f"file{n}", str(n).encode())
    finally:
        stop.set()
        sweeper.join()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {f"file{n}": str(n) for n in range(150)}


def test_a_lock_is_exclusive_and_ends_with_the_block(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path), pytest.raises(Retriable) as held, FileLock(path):
        pass
    assert held.value.code == "T001"
    assert held.value.exit_status == 4
    with FileLock(path):
        pass


def test_a_lock_waits_for_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = FileLock(path)
    holder.acquire()
    threading.Timer(0.2, holder.release).start()
    with FileLock(path, wait=10):
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, pathlib\nfrom copstats.store.lock import FileLock\n"
        "lock = FileLock(pathlib.Path(sys.argv[1]))\nlock.acquire()\n"
        "print('held', flush=True)\nsys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"held"
        assert not FileLock(path).acquire()
        other.kill()
        other.wait()
        assert FileLock(path).acquire()
