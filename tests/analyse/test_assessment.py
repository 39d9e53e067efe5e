from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from copstats.analyse.assessment import Holdings, Outlook, outlooks
from copstats.framework.loader import Framework
from copstats.framework.manifest import Crosswalk, SurveyManifest

Make = Callable[..., SurveyManifest]


def outlook(
    framework: Framework,
    survey: SurveyManifest | None,
    code: str,
    *,
    certain: set[str],
    possible: set[str] = frozenset(),  # type: ignore[assignment]
    parent: set[str] | None = None,
    crosswalk: dict[str, Any] | None = None,
) -> Outlook:
    held = {"child": frozenset(certain)} | ({} if parent is None else {"parent": frozenset(parent)})
    mapped = msgspec.convert({"framework": "cop-2026", "child": crosswalk}, Crosswalk) if crosswalk else None
    found = outlooks(
        framework, Holdings(held, {"child": frozenset(possible)}), survey, mapped, as_of_year=2026
    )
    return next(one for one in found if one.indicator == code)


def test_every_indicator_has_an_outlook(framework: Framework, manifest: Make) -> None:
    found = outlooks(framework, Holdings({"child": frozenset()}, {}), manifest(), None, as_of_year=2026)
    assert [one.indicator for one in found] == list(framework.indicators)
    assert {one.state for one in found} == {"absent"}


def test_an_indicator_whose_variables_are_there_is_computable(framework: Framework, manifest: Make) -> None:
    found = outlook(framework, manifest(), "RCD1", certain={"net_3m", "rcd_cybervic"})
    assert (found.state, found.needs, found.missing, found.absence) == ("computable", (), (), None)
    assert found.prospect is not None
    assert (found.prospect.documented, found.prospect.best) == ("A", "A")
    assert found.prospect.reasons == found.prospect.unknown == ()


def test_what_rests_on_possible_variables_names_them(framework: Framework, manifest: Make) -> None:
    found = outlook(framework, manifest(), "RCD1", certain={"net_3m"}, possible={"rcd_cybervic", "age"})
    assert (found.state, found.needs) == ("possible", ("rcd_cybervic",))


def test_missing_variables_are_named(framework: Framework, manifest: Make) -> None:
    found = outlook(framework, manifest(modules=["conduct"]), "RCD2", certain={"rcd_cybervic"})
    assert (found.state, found.missing) == ("absent", ("net_3m", "rcd_cyberfreq"))
    assert found.absence is not None
    assert (found.absence.reason, found.absence.detail) == ("module_not_covered", "access")
    assert found.prospect is None


def test_a_variable_that_was_not_asked_is_missing_even_if_a_column_bears_its_name(
    framework: Framework, manifest: Make
) -> None:
    found = outlook(framework, manifest(not_asked=["rcd_cybervic"]), "RCD4", certain={"rcd_cybervic"})
    assert (found.state, found.missing) == ("absent", ("rcd_cybervic",))
    assert found.absence is not None
    assert found.absence.reason == "not_asked"


def test_an_indicator_of_all_children_is_absent_from_a_survey_of_users(
    framework: Framework, manifest: Make
) -> None:
    survey = manifest(population={"universe": "internet_users"})
    found = outlook(framework, survey, "RCD4", certain={"rcd_cybervic"})
    assert found.absence is not None
    assert found.absence.reason == "universe"


def test_parents_and_pairs_need_a_parent_file(framework: Framework, manifest: Make) -> None:
    survey = manifest()
    alone = outlook(framework, survey, "MED6", certain=set())
    assert alone.absence is not None
    assert alone.absence.reason == "no_parent_file"
    assert outlook(framework, survey, "MED6", certain=set(), parent={"p_know_line"}).state == "computable"
    pair = {"hrm_upset", "net_3m"}
    assert outlook(framework, survey, "MED5", certain=pair, parent={"p_aware_upset"}).state == "computable"
    assert outlook(framework, survey, "MED5", certain=set(), parent={"p_aware_upset"}).state == "absent"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"response_rate": None}, ("B", "A", (), ("response",))),
        (
            {"coverage_share": None, "population": {"setting": "school"}},
            ("B", "B", ("coverage",), ("coverage",)),
        ),
        ({"sampling": "non_probability", "translation": None}, ("C", "C", ("sampling",), ("translation",))),
        ({"reference_year": 2022}, ("B", "B", ("age_of_data",), ())),
    ],
)
def test_the_best_class_takes_the_unknown_for_good(
    framework: Framework, manifest: Make, change: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = outlook(framework, manifest(**change), "RCD4", certain={"rcd_cybervic"}).prospect
    assert found is not None
    assert (found.documented, found.best, found.reasons, found.unknown) == expected


def test_a_mapped_question_without_wording_is_unknown(framework: Framework, manifest: Make) -> None:
    entry = {"rcd_cybervic": {"source": "Q24"}}
    found = outlook(framework, manifest(), "RCD4", certain={"rcd_cybervic"}, crosswalk=entry).prospect
    assert found is not None
    assert (found.documented, found.best, found.unknown) == (
        "B",
        "A",
        ("recall", "scale", "universe", "wording"),
    )


def test_without_a_manifest_there_is_no_class(framework: Framework) -> None:
    there = outlook(framework, None, "RCD4", certain=set(), possible={"rcd_cybervic"})
    assert (there.state, there.prospect) == ("possible", None)
    lacking = outlook(framework, None, "RCD1", certain=set(), possible={"rcd_cybervic"})
    assert lacking.absence is not None
    assert (lacking.absence.reason, lacking.absence.detail) == ("not_in_file", "net_3m")
