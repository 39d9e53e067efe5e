"""A check with all that is at hand: earlier rounds, the population, a release; and its reports."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copstats import steps
from copstats.checking import Checked, summaries_at
from copstats.errors import UsageError
from copstats.language import translations
from copstats.process.reports.folder import write_reports
from copstats.store.home import Home

# The estimate of the sample is 66.7 per cent.
PUBLISHED = """ref_area,year,indicator,value,se,source
XAA,2024,ACC1,10,1.2,made up
"""


@pytest.fixture(scope="module")
def samples(root: Path) -> Path:
    return root / "sample_data" / "submissions"


@pytest.fixture(scope="module")
def areas(root: Path) -> Path:
    return root / "sample_data" / "areas.csv"


@pytest.fixture(scope="module")
def first_round(samples: Path, areas: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the summary of the first round's check."""
    folder = tmp_path_factory.mktemp("first")
    (summary,) = summaries_at([samples / "XAA_2023_COPS_v01"], areas=steps.area_table(areas))
    (folder / "summary.json").write_bytes(summary.as_bytes())
    return folder


def check_second_round(samples: Path, areas: Path, first_round: Path) -> Checked:
    population = first_round / "population.csv"
    lines = ["ref_area,year,sex,age_from,age_to,population,source"]
    lines += [f"XAA,2025,{sex},{low},{low + 2},100000,census" for sex in ("F", "M") for low in (9, 12, 15)]
    population.write_text("\n".join(lines) + "\n", "utf-8")
    external = first_round / "external.csv"
    external.write_text(PUBLISHED, "utf-8")
    return steps.check(
        samples / "XAA_2025_COPS_v01",
        areas=steps.area_table(areas),
        previous=[first_round],
        population=population,
        external=external,
        pictures=True,
    )


@pytest.fixture(scope="module")
def second_round(samples: Path, areas: Path, first_round: Path) -> Checked:
    return check_second_round(samples, areas, first_round)


def unsupported(checked: Checked) -> set[str]:
    """Reasons for which rules on children could not be judged; the first round has no file of parents."""
    outcomes = (o for o in checked.result.outcomes if o.rule.record == "child")
    return {outcome.reason for outcome in outcomes if outcome.state == "not_supported"}


def levels(checked: Checked, state: str) -> set[int]:
    return {outcome.rule.level for outcome in checked.result.outcomes if outcome.state == state}


def test_rules_on_what_is_at_hand_are_decided(second_round):
    decided = levels(second_round, "passed") | levels(second_round, "failed")
    assert {0, 1, 2} <= decided
    assert 5 in levels(second_round, "failed")
    reasons = unsupported(second_round)
    assert "no_estimates" in reasons
    assert "no_previous_round" not in reasons


def test_same_reports_byte_for_byte(second_round, tmp_path, samples, areas, first_round):
    contents = []
    for number, checked in enumerate((second_round, check_second_round(samples, areas, first_round))):
        written = write_reports(
            checked.result,
            checked.framework,
            translations("fr"),
            tmp_path / str(number),
            pictures=checked.pictures,
            summary=checked.summary.as_bytes(),
            places=checked.places,
        )
        contents.append({path.name: path.read_bytes() for path in written})
    assert contents[0] == contents[1]
    assert len(contents[0]) >= 5


def test_summary_of_reports_stands_for_the_submission(second_round, tmp_path, areas, samples):
    (tmp_path / "summary.json").write_bytes(second_round.summary.as_bytes())
    known = steps.area_table(areas)
    (read,) = summaries_at([tmp_path], areas=known)
    assert read == second_round.summary


def test_another_survey_is_no_earlier_round(samples, areas, first_round):
    with pytest.raises(UsageError) as caught:
        steps.check(samples / "XBB_2025_COPS_v01", areas=steps.area_table(areas), previous=[first_round])
    assert caught.value.code == "U171"


def test_nothing_to_compare_with(tmp_path, areas, samples):
    with pytest.raises(UsageError) as caught:
        summaries_at([tmp_path], areas=steps.area_table(areas))
    assert caught.value.code == "U170"
    with pytest.raises(UsageError) as caught:
        steps.check(
            samples / "XAA_2025_COPS_v01", areas=steps.area_table(areas), release=tmp_path / "nothing"
        )
    assert caught.value.code == "U172"


def test_receiving_side_remembers_the_round_before(samples, areas, tmp_path):
    home = Home.open(tmp_path / "home", create=True)
    shutil.copyfile(areas, home.path / "areas.csv")
    home.change_settings(accept="without_errors")
    first = steps.ingest(home.path, samples / "XAA_2023_COPS_v01").checked
    home.external.write_text(PUBLISHED, "utf-8")
    second = steps.ingest(home.path, samples / "XAA_2025_COPS_v01").checked
    assert first is not None and second is not None
    nothing = {"no_previous_round", "no_previous_version", "no_population", "no_estimates"}
    assert nothing <= unsupported(first)
    assert "no_previous_round" not in unsupported(second)
    assert {"no_previous_version", "no_population"} <= unsupported(second)
    assert 5 not in levels(first, "failed")
    assert 5 in levels(second, "failed")
