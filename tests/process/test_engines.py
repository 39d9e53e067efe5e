"""Both engines agree on the samples; a check is the same twice, keeps to its cap and ends when told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.framework import Framework, load_areas, load_framework
from copstats.language import translations
from copstats.process import gate as acceptance
from copstats.process.check import CheckResult, check
from copstats.process.compiled import Judged
from copstats.process.findings import FINDINGS, Search
from copstats.process.gate import MOST_RECORDS, mode_for, run_gate, validate
from copstats.process.records import extended_tables, record_tables
from copstats.process.rules import aggregate_rule, compile_rules
from copstats.project import project_root
from copstats.store.engine import memory_connection
from tests.process.material import Submission, clean_child, clean_parent, manifest, spoil
from tests.process.test_gate import unexpected

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
SUBMISSIONS = sorted(path.parent for path in SAMPLES.glob("submissions/*/manifest.yaml"))
ID = "KEN_2026_COPS_v01_M"


def both_counts(folder: Path, *, every: bool) -> tuple[dict[str, int], dict[str, int]]:
    """Rule id -> number of findings of a sample, by DuckDB and by Great Expectations.

    Args:
        folder: the sample.
        every: also rules that hold and that Great Expectations decides by the same predicate.
    """
    areas = load_areas(project_root() / "schemas" / "areas.csv", SAMPLES / "areas.csv")
    submission = open_submission(folder, areas=areas)
    framework = load_framework(submission.manifest.framework)
    with memory_connection() as connection:
        held = harmonise(submission, framework, connection)
        rules = compile_rules(framework, submission.manifest, held, submission.crosswalk)
        tables = extended_tables(record_tables(framework, submission.manifest, held, submission.crosswalk))
        names = {kind: kind for kind in held.records}
        found = Search(connection, tables, submission.id, names).find(rules)
        assert not found.crashed
        by_id = {
            rule.id: rule
            for rule in rules
            if rule.ready and (every or rule.native is not None or rule.id in found.counts)
        }
        results = validate(connection, list(by_id.values()), tables, framework, "BASIC")
    judged = {result.expectation_config.meta["rule"]: unexpected(result, by_id) for result in results}
    return {rule: found.counts.get(rule, 0) for rule in by_id}, judged


@pytest.mark.parametrize("folder", SUBMISSIONS[::4], ids=lambda folder: folder.name)
def test_both_engines_count_the_same_where_it_matters(folder: Path) -> None:
    """Rules that the suite judges by itself, and all broken ones; every rule of every sample runs nightly."""
    found, judged = both_counts(folder, every=False)
    assert len(found) > 80
    assert found == judged


@pytest.mark.nightly
@pytest.mark.parametrize("folder", SUBMISSIONS, ids=lambda folder: folder.name)
def test_both_engines_count_the_same_for_every_rule_on_every_sample(folder: Path) -> None:
    found, judged = both_counts(folder, every=True)
    assert found == judged


def faulty(small: Framework, threads: int | None = None) -> Submission:
    random = np.random.default_rng(3)
    children = [clean_child(number, random) for number in range(200)]
    parents = [clean_parent(number, random) for number in range(100)]
    made = Submission(memory_connection(threads=threads))
    unread = spoil(small, "child", children, random, 0.1)
    made.add(small, "child", children, unread=unread, not_taken_over=("X", "Y", "Z"))
    return made.add(small, "parent", parents, unread=spoil(small, "parent", parents, random, 0.1))


def checked(small: Framework, threads: int | None = None, **how: Any) -> CheckResult:
    made = faulty(small, threads)
    return check(made.connection, made, ID, small, manifest(), None, **({"gate": False} | how))


def as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def test_two_runs_give_the_same_bytes_whatever_the_threads(small: Framework) -> None:
    runs = [checked(small, threads) for threads in (1, 2, 2)]
    assert runs[0].findings.num_rows > 300
    assert len({as_bytes(run.findings) for run in runs}) == 1
    assert len({repr(run.outcomes) for run in runs}) == 1


def test_a_cap_leaves_the_first_findings_and_every_count(small: Framework) -> None:
    everything, capped = checked(small), checked(small, at_most=2)
    assert [o.count for o in capped.outcomes] == [o.count for o in everything.outcomes]
    assert [o.state for o in capped.outcomes] == [o.state for o in everything.outcomes]
    assert any(o.count > 2 for o in capped.outcomes)
    for outcome in everything.outcomes:
        whole = everything.findings_of(outcome.rule.id)
        assert whole.num_rows == outcome.count == outcome.shown
        assert capped.findings_of(outcome.rule.id).equals(whole[:2])
    assert all(o.shown == min(o.count, 2) for o in capped.outcomes)
    assert [m.what for m in capped.messages()] == [m.what for m in everything.messages()]


def test_a_finding_carries_what_its_message_needs(small: Framework) -> None:
    result = checked(small)
    row = next(row for row in result.rows() if row["rule"] == "code_list:sex")
    assert row["message_key"] == "code_list"
    counts = {o.rule.id: o.count for o in result.outcomes}
    assert row["params"] == {"label": "Sex", "column": "NAT_SEX", "count": counts["code_list:sex"]}
    by_hand = {row["message_key"] for row in result.rows() if row["rule_class"] == "hand"}
    assert by_hand <= set(small.rules.rules)
    keys = {row["message_key"] for row in result.rows()}
    assert keys <= {*small.rules.classes, *small.rules.rules}


def test_what_was_judged_elsewhere_stands_beside_the_rest(
    small: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = faulty(small)
    table = record_tables(small, manifest(), made, None)["child"]
    known = aggregate_rule(table, "item_nonresponse", "sex")
    places = [{"variable": "sex", "params": {"before": 1200, "share": 0.254, "band": "9-11"}}]
    found = Search(made.connection, {}, ID, {"child": "c"}).find([], [Judged(known, "failed", "", places)])
    assert found.findings.schema == FINDINGS
    (row,) = found.findings.to_pylist()
    assert (row["rule"], row["variable"], row["record_no"]) == ("item_nonresponse:sex", "sex", None)
    assert json.loads(row["params"])["band"] == "9-11"
    assert found.counts == {"item_nonresponse:sex": 1}
    verdicts = run_gate(made.connection, [known], {}, small, counted=found.counts)
    assert verdicts == {"item_nonresponse:sex": False}


@pytest.mark.parametrize(("value", "said"), [(1200, "1 200"), (0.254, "0,25"), (3.0, "3"), ("9-11", "9-11")])
def test_parameters_are_written_as_the_language_does(value: Any, said: str) -> None:
    from copstats.process.wording import in_words

    assert in_words(value, translations("fr")).replace("\u202f", " ") == said


def test_large_files_are_judged_by_their_counts(small: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mode_for(MOST_RECORDS) == "records"
    assert mode_for(MOST_RECORDS + 1) == "counts"
    by_records = checked(small, gate=True)
    monkeypatch.setattr(acceptance, "MOST_RECORDS", 10)
    by_counts = checked(small, gate=True)
    assert (by_records.gate_mode, by_counts.gate_mode) == ("records", "counts")
    assert by_records.gate == by_counts.gate
    assert not by_counts.disagreements


ENDLESS = """
import sys
from pathlib import Path
from copstats.process.check import check
from tests.process.material import Submission, clean_child, manifest, small_framework
import numpy as np

small = small_framework(Path(sys.argv[1]))
made = Submission().add(small, "child", [clean_child(1, np.random.default_rng(1))])
made.connection.execute("ALTER TABLE child RENAME TO one")
made.connection.execute("CREATE VIEW child AS SELECT one.* FROM one, range(1000000), range(1000000)")
print("ready", flush=True)
try:
    check(made.connection, made, "X", small, manifest(), None, gate=False)
except KeyboardInterrupt:
    print("ended", made.connection.execute("SELECT count(*) FROM one").fetchone())
"""


def test_ctrl_c_ends_a_check_and_leaves_nothing(tmp_path: Path, root: Path) -> None:
    definitions, work = tmp_path / "definitions", tmp_path / "work"
    definitions.mkdir()
    work.mkdir()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (root / "tests" / "offline", root / "src", root))),
        "TMPDIR": str(work),
    }
    running = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(definitions)],
        cwd=work,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(1)
        running.send_signal(signal.SIGINT)
        out, errors = running.communicate(timeout=60)
    finally:
        running.kill()
    assert out == "ended (1,)\n"
    assert errors == ""
    assert list(work.iterdir()) == []
