"""Good files with a few bytes changed: each ends in a table or in an error with a code, and nowhere else."""

from __future__ import annotations

import io
import random
import re
import sys
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from copstats.collect.package import Folder
from copstats.collect.reader_channel import Limits
from copstats.collect.readers import read_file
from copstats.collect.submission import open_submission, read_source
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework.manifest import DataFile
from tests.collect.samples import AREAS, CROSSWALK, as_csv, as_xlsx, encoded, write

SEED = 20260331
FORMATS = ("csv", "xlsx", "sav", "zsav", "dta", "parquet", "zip")
LIMITS = Limits(memory=2**31, cpu_seconds=20, seconds=60, answer=2**28)
ANSWERS = {
    "child": [f"CANARY{i}" for i in range(30)],
    "age": [float(9 + i % 9) for i in range(30)],
    "q1": [1.0, 2.0, 8.0] * 10,
    "txt": ["yes", "né", None] * 10,
    "w": [0.25 + i for i in range(30)],
}
CHILD = {
    "line": ["1", "2"],
    "str": [1, 1],
    "ea": [1, 2],
    "w": [1, 2],
    "age": [9, 12],
    "Q1": [1, 2],
    "net": ["Yes", "No"],
}


def good(extension: str, folder: Path) -> bytes:
    """Return a small file with labels, missing values, accents and a mark that no message may show."""
    if extension == "zip":
        write(folder / "s", {"child.csv": as_csv(CHILD)}, crosswalk=CROSSWALK)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((folder / "s").iterdir()):
                archive.write(path, path.name)
        return buffer.getvalue()
    if extension in ("sav", "zsav"):
        path = folder / f"good.{extension}"
        frame = pd.DataFrame(
            {name: ["" if c is None else c for c in cells] for name, cells in ANSWERS.items()}
        )
        labels = {"q1": {1: "Yes", 2: "No", 8: "Does not know"}}
        pyreadstat.write_sav(
            frame,
            str(path),
            variable_value_labels=labels,
            missing_ranges={"q1": [8]},
            compress=extension == "zsav",
        )
        return path.read_bytes()
    return as_xlsx(ANSWERS) if extension == "xlsx" else encoded(extension, ANSWERS, folder)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Flip, cut, insert or splice bytes."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        place, size = chance.randrange(len(changed)), chance.randint(1, 40)
        match chance.choice(("flip", "flip", "byte", "cut", "insert", "splice")):
            case "flip":
                changed[place] ^= 1 << chance.randrange(8)
            case "byte":
                changed[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case "cut":
                del changed[place : place + size]
            case "insert":
                changed[place:place] = chance.randbytes(size)
            case _:
                origin = chance.randrange(len(changed))
                changed[place : place + size] = changed[origin : origin + size]
        changed = changed or bytearray(b"?")
    return bytes(changed)


def variant(extension: str, content: bytes, chance: random.Random) -> bytes:
    """Mutate a file; of a zip mostly one member, with its checksum put right, so that its reader sees it."""
    if extension not in ("xlsx", "zip") or chance.random() < 0.3:
        # The first bytes are kept: without them the reader is never asked.
        return content[:4] + mutated(content[4:], chance)
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        hit = chance.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, mutated(part, chance) if name == hit else part)
    return buffer.getvalue()


def outcome(path: Path) -> str:
    """Read a file as a whole; anything but a table or an error of the catalogue is let through."""
    try:
        if path.suffix == ".zip":
            file = read_source(open_submission(path, areas=AREAS), "child")
        else:
            file = read_file(Folder(path.parent).data_file(path.name, ""), DataFile(path=path.name), LIMITS)
        file.table.validate(full=True)
        return "read"
    except SubmissionErrors as several:
        errors = several.errors
    except SubmissionError as one:
        errors = [one]
    for error in errors:
        assert re.fullmatch(r"S\d{3}", error.code)
        shown = f"{error} {error.why} {error.hint} {error.as_dict()} {error.__context__}"
        assert path.suffix == ".zip" or "CANARY" not in shown
    return errors[0].code


def attempt(folder: Path, extension: str, content: bytes, number: int) -> str:
    """Read one variant in a folder of its own, in which nothing else may be left."""
    place = folder / str(number)
    place.mkdir()
    path = place / f"m.{extension}"
    path.write_bytes(variant(extension, content, random.Random(f"{SEED} {extension} {number}")))  # noqa: S311
    told = outcome(path)
    assert [one.name for one in place.iterdir()] == [path.name]
    path.unlink()
    place.rmdir()
    return told


def outcomes(folder: Path, extension: str, count: int) -> Counter[str]:
    (folder / "good").mkdir()
    content = good(extension, folder / "good")
    (folder / "all").mkdir()
    with ThreadPoolExecutor(4) as pool:
        told = pool.map(lambda number: attempt(folder / "all", extension, content, number), range(count))
        return Counter(told)


def checked(folder: Path, extension: str, count: int, capfd: pytest.CaptureFixture[str]) -> None:
    before = peak()
    found = outcomes(folder, extension, count)
    assert found.total() == count
    assert len(found) > 1, "the mutations do not reach the reader"
    assert not any(capfd.readouterr())
    assert not any((folder / "all").iterdir())
    assert peak() - before < 2**28


def peak() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@pytest.mark.parametrize("extension", FORMATS)
def test_twenty_mutated_files(tmp_path, capfd, monkeypatch, extension):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    checked(tmp_path, extension, 20, capfd)
    assert not any((tmp_path / "here").iterdir())


@pytest.mark.nightly
@pytest.mark.parametrize("extension", FORMATS)
def test_two_thousand_mutated_files(tmp_path, capfd, extension):
    checked(tmp_path, extension, 2000, capfd)


@pytest.mark.parametrize("extension", FORMATS)
def test_the_file_before_it_is_mutated_is_good(tmp_path, extension):
    path = tmp_path / f"m.{extension}"
    path.write_bytes(good(extension, tmp_path))
    assert outcome(path) == "read"
