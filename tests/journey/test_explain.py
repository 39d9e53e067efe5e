"""`copstats explain` on the demo: a home with its release."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from copstats.auditing import values_of
from copstats.cli.explain import explain
from copstats.errors import UsageError
from copstats.explaining import Asked, Explanation, explainer
from copstats.store.engine import memory_connection
from copstats.store.home import Home
from tests.journey.conftest import Run, copstats

FROM_ESTIMATE = {"item_nonresponse", "item_nonresponse_unknown"}


@pytest.fixture(scope="module")
def home(demo: Run, demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's home: explaining writes to the audit log."""
    assert demo.status == 0, demo.err
    return Path(shutil.copytree(demo_home, tmp_path_factory.mktemp("explain") / "home"))


def opened(home: Path) -> list[str]:
    entries = [entry for entry in Home.open(home).audit.entries() if entry["action"] == "estimates.opened"]
    return [entry["subject"] for entry in entries if entry["facts"]["purpose"] == "explanation"]


def test_every_value_is_explained(home: Path) -> None:
    rows = values_of(Home.open(home).releases.folder("2026-Q4")).to_pylist()
    assert len(rows) > 5000
    with explainer(None, home) as known:
        for row in rows:
            consistent(known.explain_value(row))
    assert opened(home) == []


def consistent(found: Explanation) -> None:
    """What the documents say must be what was published, cell by cell."""
    published, kept = found.published, found.kept
    assert kept is not None and kept.estimate is None
    value = published.value
    assert (published.withheld is None) == (value["value"] is not None)
    if value["standardised"] != "N" or value["obs_status"] == "L":
        return
    assert (kept.vintages[-1].value or {})["value"] == value["value"]
    assert kept.sql and "psu_cells" in kept.sql
    if value["value"] is None and value["reason"] not in {"low", "high"}:
        return  # the class of a withheld cell is that of the total
    reasons = {code for one in kept.criteria for code in one.reasons}
    assert reasons == set(filter(None, value["comparability_reasons"].split(";"))) - FROM_ESTIMATE
    assert max(one.grade for one in kept.criteria) <= value["comparability"]


def test_estimates_are_shown_where_they_are_asked_for_and_that_is_noted(home: Path) -> None:
    with explainer(Path("2026-Q4"), home, restricted=True) as known:
        for sex in ("F", "M"):
            (found,) = known.explain(Asked("RCD4", "XAA", "2025", group={"sex": sex}))
            assert found.kept is not None and found.kept.estimate is not None
            shown, estimate = found.published.value, found.kept.estimate
            assert (estimate["sex"], estimate["submission_id"]) == (sex, shown["source"])
            assert abs(100 * estimate["estimate"] - shown["value"]) <= 0.5
            assert estimate["n"] >= int(shown["n_band"].split("-")[0])
    assert opened(home) == ["XAA_2025_COPS_v01_M"], "once for both"


def test_the_sql_makes_the_estimate(home: Path) -> None:
    with explainer(None, home, restricted=True) as known:
        (found,) = known.explain(Asked("RCD4", "XBB", "2025"))
    assert found.kept is not None and found.kept.sql is not None and found.kept.estimate is not None
    wave = Home.open(home).waves.open(found.published.value["source"])
    with memory_connection() as connection:
        for kind in wave.records:
            connection.register("records", wave.read(kind).read_all())
            connection.execute(f"CREATE TABLE {kind} AS FROM records")
        rows = connection.sql(found.kept.sql).to_arrow_table().to_pylist()
    total = [row for row in rows if row["domain"] == 0]
    assert total[0]["estimate"] == pytest.approx(found.kept.estimate["estimate"], rel=1e-9)
    assert total[0]["variance"] == pytest.approx(found.kept.estimate["se"] ** 2, rel=1e-9)


def test_wording_and_other_rounds_are_told(home: Path) -> None:
    with explainer(None, home) as known:
        (asked_over_six_months,) = known.explain(Asked("RCD4", "XGG", "2025"))
        (second_round,) = known.explain(Asked("RCD4", "XAA", "2025"))
        (school,) = known.explain(Asked("RCD4", "XDD", "2025"))
    kept = asked_over_six_months.kept
    assert kept is not None
    (question,) = [one for one in kept.questions if one.variable == "rcd_cybervic"]
    assert (question.recall, question.framework_recall, question.wording) == (
        "6 months",
        "12 months",
        "identical",
    )
    assert kept.behind.provenance is not None and kept.behind.provenance.custody == "single"
    assert second_round.kept is not None and school.kept is not None
    assert [(one.source, one.grade) for one in second_round.kept.rounds] == [("XAA_2023_COPS_v01_M", "A")]
    # The pilot of 2023 was no probability sample.
    (pilot,) = school.kept.rounds
    assert pilot.grade == "C" and "sampling" in pilot.reasons.split(";")


def test_the_page_runs(home: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (root / "docs" / "explain.md").read_text("utf-8")
    monkeypatch.chdir(home)
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "explain.md", "exec"), {})  # noqa: S102
    (console,) = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    for line in console.splitlines():
        words = shlex.split(line)[2:]
        # Aggregates need denominators, which the operator loads; tests/disseminate explains one.
        if "AFR" not in words:
            assert explain.main([*words, "--home", str(home)], standalone_mode=False) is None


def test_the_command(home: Path, root: Path, tmp_path: Path) -> None:
    words = ("explain", "RCD4", "XAA", "2025", "--sex", "F", "--home", home)
    shown = copstats(*words, "--sql", cwd=root)
    assert shown.status == 0, shown.err
    for part in ("Cyberbullying victimisation", "Criteria of comparability", "Vintages", "FROM psu_cells"):
        assert part in shown.out
    assert "Restricted" not in shown.out
    (told,) = json.loads(copstats(*words, "--json", cwd=root).out)
    assert told["home"]["estimate"] is None and told["home"]["vintages"][0]["number"] == 1
    missing = copstats("explain", "RCD4", "XAA", "1999", "--home", home, cwd=root)
    assert missing.status == 2 and "2023, 2025" in missing.err
    empty = Home.open(tmp_path / "empty", create=True)
    with pytest.raises(UsageError) as refused, explainer(None, empty.path):
        pass
    assert refused.value.code == "U382"
