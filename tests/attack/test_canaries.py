"""Numbers 19 and 20: marks in every place of submissions are taken all the way and looked for in all output.

Two processes do what an operator does, with talkative loggers: one runs the Prefect flows over sound,
faulty, torn and crashing submissions, one the commands of the office and of the receiving side. At the end
of the first, a careless flow with marks of its own shows that the search finds what such a run can leave
behind.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from copstats.cli.application import application
from copstats.store import Home
from tests.attack.planted import KINDS, WEIGHTS, mark, names_only, plant, scanner

pytestmark = pytest.mark.flows

TALKATIVE = """
import logging, os, sys
from pathlib import Path
written = open(sys.argv[1], "w")
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
        named_next = arguments[1] and os.path.isdir(arguments[0])
        if not named_next:
            print(os.path.abspath(arguments[0]), file=written, flush=True)
sys.addaudithook(note)
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
for slow in ("great_expectations.datasource.fluent", "httpcore", "aiosqlite", "asyncio"):
    logging.getLogger(slow).setLevel(logging.INFO)
folder = Path(sys.argv[2])
"""
"""Before every process: loggers speak (but for some that list classes, or what stands in Prefect's database
anyway, and take half of the time), and the files that Python writes are listed."""

FLOWS = """
import shutil
from copstats.process import check
from copstats.runner import run_flow
sound = check.check
def stumble(connection, harmonised, submission, *rest, **options):
    if submission.startswith("XHH"):
        raise ValueError(connection.sql("SELECT * FROM child LIMIT 3").fetchall())
    return sound(connection, harmonised, submission, *rest, **options)
check.check = stumble
home = folder / "flows"
print(run_flow("pipeline", home=home, inbox=str(folder / "inbox"), label="2026-Q4"))
from copstats.cli.application import application
print("status", application(["ingest", str(folder / "inbox" / "crash"), "--home", str(home)]))
"""

COMMANDS = """
from copstats.cli.application import application
office, receiving, inbox = folder / "office", folder / "receiving", folder / "commands"
areas = ["--areas", str(folder / "areas.csv")]
to = ["--to", str(folder / "handed" / "receiving.copstats-key"), "--out", str(folder / "post")]
def run(*arguments, expected=0):
    status = application([str(argument) for argument in arguments])
    assert status == expected, (arguments[0], status)
run("check", inbox / "faulty", "--report", folder / "reports", *areas, expected=1)
run("keys", "create", "--area", "XBB", "--home", office)
run("keys", "export", "XBB", "--out", folder / "handed" / "XBB.copstats-key", "--home", office)
run("keys", "create", "--receiving", "--home", receiving)
run("keys", "export", "receiving", "--out", folder / "handed" / "receiving.copstats-key", "--home", receiving)
run("keys", "register", folder / "handed" / "XBB.copstats-key", "--home", receiving)
run("seal", inbox / "workbook", *to, *areas, "--home", office)
run("ingest", folder / "post" / "XBB_2025_COPS_v01_M.copsealed", "--home", receiving)
run("status", "XBB_2025_COPS_v01_M", "--home", receiving)
run("accept", "XBB_2025_COPS_v01_M", "--by", "reviewer", "--home", receiving)
run("log", "verify", "--home", receiving)
"""

CARELESS = """
import great_expectations as gx
import pandas as pd
from prefect import flow, task
table = pd.DataFrame({"answer": [MARK + f"{n}" for n in range(3)]})
@task(persist_result=False)
def compute(rows):
    raise ValueError(f"cannot read {table.answer[1]}")
@flow(persist_result=False)
def analysis(first, rows):
    return compute(rows)
try:
    analysis(table.answer[0], table)
except ValueError as error:
    logging.getLogger("analysis").warning("failed: %s", error)
context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_pandas("p").add_dataframe_asset("a")
batch = asset.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": table})
expected = gx.expectations.ExpectColumnValuesToBeInSet(column="answer", value_set=["nothing"])
(home / "validation.json").write_text(str(batch.validate(expected)))
"""
"""The same server, the same settings, the same kind of content: what it keeps unless one takes care."""

OWN = mark("careless", "cell")


def not_own(marks: set[str]) -> set[str]:
    """Leave out the marks of the careless flow."""
    return {found for found in marks if not found.startswith(OWN)}


@dataclass(frozen=True)
class Run:
    """What the processes left.

    Attributes:
        folder: holds it all.
        said: name of the process -> standard output and standard error.
        found: path in the folder -> marks in the file or in its name.
    """

    folder: Path
    said: dict[str, str]
    found: dict[str, set[str]]

    def within(self, place: str) -> dict[str, set[str]]:
        """What was found in the files of a folder, or in files whose names begin so."""
        return {path: marks for path, marks in self.found.items() if path.startswith(place)}


def start(name: str, script: str, folder: Path) -> subprocess.Popen[bytes]:
    for private in ("tmp", "user"):
        (folder / private / name).mkdir(parents=True)
    environment = os.environ | {
        "TMPDIR": str(folder / "tmp" / name),
        "HOME": str(folder / "user" / name),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_TO_API_ENABLED": "true",
        "COLUMNS": "200",
    }
    command = [sys.executable, "-c", TALKATIVE + script, str(folder / f"{name}-written.txt"), str(folder)]
    with (folder / "said" / f"{name}.txt").open("wb") as said:
        return subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("canaries")
    sample = root / "sample_data" / "submissions" / "XAA_2025_COPS_v01"
    plant(sample, folder / "inbox", "zipped", "faulty", "torn", "crash")
    plant(sample, folder / "commands", "workbook", "faulty")
    shutil.copyfile(root / "sample_data" / "areas.csv", folder / "areas.csv")
    for home in ("flows", "receiving"):
        Home.open(folder / home, create=True)
        shutil.copyfile(folder / "areas.csv", folder / home / "areas.csv")
    Home.open(folder / "flows").change_settings(
        accept="without_errors",
        review_days=0,
        approve_releases="on_schedule",
        release_forms=("sdmx", "metadata"),
    )
    for name in ("office", "post", "handed", "reports", "said"):
        (folder / name).mkdir(mode=0o700)
    scripts = {"flows": FLOWS + f"\nMARK = {OWN!r}\n" + CARELESS, "commands": COMMANDS}
    running = {name: start(name, script, folder) for name, script in scripts.items()}
    try:
        status = {name: process.wait(240) for name, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
    said = {name: (folder / "said" / f"{name}.txt").read_text("utf-8") for name in scripts}
    assert status == dict.fromkeys(scripts, 0), "\n".join(text[-1500:] for text in said.values())
    yield Run(folder, said, scanner().folder(folder))
    shutil.rmtree(folder)


def test_the_submissions_went_all_the_way(run: Run) -> None:
    (outcome,) = (line for line in run.said["flows"].splitlines() if line.startswith("{'crash'"))
    assert outcome == str(
        {
            "crash": "failed ValueError",
            "faulty": "rejected",
            "torn": "failed S150",
            "zipped.zip": "accepted",
            "release": "published",
        }
    )
    assert "Internal fault ValueError" in run.said["flows"]
    assert "status 3" in run.said["flows"]
    assert (run.folder / "flows" / "releases" / "2026-Q4" / "copstats.duckdb").is_file()
    assert Home.open(run.folder / "receiving").registry.get(KINDS["workbook"].id).state == "accepted"
    assert sorted(path.name for path in (run.folder / "post").iterdir()) == ["XBB_2025_COPS_v01_M.copsealed"]


PLACES = {
    "workbook": "xlsx comment author header link numberformat hiddensheet veryhiddensheet hiddencell "
    "creator title keywords description property definedname; dta filelabel label valuelabel unused",
    "zipped": "sav filelabel note label valuelabel unused; parquet category attribute fieldmetadata path; "
    "zip comment entrycomment other",
}


def test_the_marks_are_where_they_are_said_to_be(run: Run) -> None:
    """In the files that were taken in the search finds every mark of every format."""
    for name, places in PLACES.items():
        here = set().union(*(run.within(f"inbox/{name}") | run.within(f"commands/{name}")).values())
        expected = [mark(name, "column"), mark(name, "cell"), mark(name, "file"), str(WEIGHTS[0])]
        for group in places.split("; "):
            kind, *rest = group.split()
            expected += [mark(kind, place) for place in rest]
        # Without compression the next letters of an archive follow a mark at once.
        assert [one for one in expected if not any(found.startswith(one) for found in here)] == []


def test_a_careless_flow_leaves_answers_with_prefect_in_validations_and_in_the_log(run: Run) -> None:
    database = set().union(*run.within("flows/prefect/prefect.db").values())
    assert {f"{OWN}0", f"{OWN}1"} <= database  # the parameter; the text of the exception
    assert any(f"{OWN}1" in marks for marks in run.within("flows/prefect/storage/").values())
    assert {f"{OWN}0", f"{OWN}2"} <= run.found["flows/validation.json"]
    assert f"{OWN}1" in run.found["said/flows.txt"]


@pytest.mark.parametrize("folder", ["flows", "receiving", "office", "post", "handed", "tmp", "user"])
def test_nothing_of_the_submissions_is_in_any_file(run: Run, folder: str) -> None:
    assert folder in ("tmp", "user") or any(path.is_file() for path in (run.folder / folder).rglob("*"))
    left = {path: not_own(marks) for path, marks in run.within(f"{folder}/").items()}
    assert {path: marks for path, marks in left.items() if marks} == {}


@pytest.mark.parametrize("process", ["flows", "commands"])
def test_nothing_of_it_is_said(run: Run, process: str) -> None:
    """On standard output and standard error, though loggers talk; to the office columns may be named."""
    found = not_own(run.found.get(f"said/{process}.txt", set()))
    assert names_only(found) == set()
    assert process == "commands" or found == set()


def test_the_office_s_reports_name_columns_and_files_and_no_answer(run: Run) -> None:
    assert len(list((run.folder / "reports").iterdir())) >= 5
    found = run.within("reports/")
    assert set().union(*map(names_only, found.values())) == set()
    assert "reports/summary.json" not in found  # the one that may leave


def test_files_are_written_only_where_they_belong(run: Run) -> None:
    belong = {
        "flows": ["flows"],
        "commands": ["office", "receiving", "reports", "post", "handed"],
    }
    for process, places in belong.items():
        written = set((run.folder / f"{process}-written.txt").read_text("utf-8").splitlines())
        own = [run.folder / place for place in places]
        # Python tries out a place for temporary files with four letters; openpyxl keeps the sheets of the
        # report there while it packs them, and they are as free of answers as the report.
        probes = [path for path in map(Path, written) if re.fullmatch(r"\w{8}|openpyxl\.\w{8}", path.name)]
        own += [path for path in probes if path.parent == run.folder / "tmp" / process] + [Path("/dev")]
        elsewhere = [path for path in map(Path, written) if not any(map(path.is_relative_to, own))]
        assert elsewhere == []
        assert written


def test_the_anchor_of_a_release_shows_that_the_log_was_cut(run: Run, tmp_path: Path) -> None:
    """Number 15, where the anchor is: in the release that everybody has."""
    home = tmp_path / "home"
    shutil.copytree(run.folder / "flows", home, ignore=shutil.ignore_patterns("prefect"))
    assert application(["log", "verify", "--home", str(home)]) == 0
    lines = (home / "audit.log").read_bytes().splitlines(keepends=True)
    (home / "audit.log").write_bytes(b"".join(lines[:-3]))
    assert Home.open(home).audit.verify() == []  # twin: the chain alone
    assert application(["log", "verify", "--home", str(home)]) == 1


def test_what_is_encrypted_holds_answers_and_nothing_that_was_planted(run: Run, tmp_path: Path) -> None:
    """Decrypted, too: no metadata, no unused category, no column of its own, no name; weights are answers."""
    careless = tmp_path / "copied.parquet"
    with zipfile.ZipFile(run.folder / "inbox" / "zipped.zip") as archive:
        table = pq.read_table(io.BytesIO(archive.read(f"parent{mark('zipped', 'file')}.parquet")))
    pq.write_table(table.select(["country_iso3", "school"]), careless)
    assert {
        mark("parquet", "attribute"),
        mark("parquet", "path"),
        mark("parquet", "category"),
    } <= scanner().file(careless)
    for home, name in (("flows", "zipped"), ("receiving", "workbook")):
        wave = Home.open(run.folder / home).waves.open(KINDS[name].id)
        assert wave.records == ("child", "parent")
        for record in wave.records:
            content = wave.read(record).read_all()
            assert content.num_rows > 200
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, content.schema) as stream:
                stream.write_table(content)
            found = scanner().text(sink.getvalue().to_pybytes())
            assert found == ({str(weight) for weight in WEIGHTS} if record == "child" else set())


def test_a_labelled_file_that_is_read_and_written_again_keeps_its_notes(run: Run, tmp_path: Path) -> None:
    """Twin of number 20: what a program carries along that is not careful about metadata."""
    source = f"child{mark('zipped', 'file')}.sav"
    with zipfile.ZipFile(run.folder / "inbox" / "zipped.zip") as archive:
        archive.extract(source, tmp_path)
    table, says = pyreadstat.read_sav(str(tmp_path / source))
    pyreadstat.write_sav(
        table[["age", "sex"]],
        str(tmp_path / "out.sav"),
        note=" ".join(says.notes),
        file_label=says.file_label,
        variable_value_labels={"sex": says.variable_value_labels["sex"]},
    )
    assert {mark("sav", "note"), mark("sav", "filelabel"), mark("sav", "unused")} <= scanner().file(
        tmp_path / "out.sav"
    )
    schools = pd.DataFrame({"school": pd.Categorical([mark("sav", "gone"), "open"])})
    schools[schools["school"] == "open"].to_parquet(tmp_path / "out.parquet")
    assert mark("sav", "gone") in scanner().file(tmp_path / "out.parquet")
