"""What holds in every framework version, beyond the form of its files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from copstats.framework import Framework, frameworks, load_framework
from copstats.framework.definitions import Message, Variable
from copstats.framework.expressions import DOES_NOT_KNOW, NOT_APPLICABLE, NOT_ASKED, REFUSED, Rendering
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

CLASSES = {
    *("no_records", "column_missing", "not_asked_declared", "unknown_column"),
    *("blank", "unread", "code_list", "range", "pattern", "key_unique"),
    *("weight_missing", "weight_positive", "weights_all_equal", "stratum_single_psu"),
    *("skip_ignored", "skip_unfounded", "item_nonresponse"),
    *("straight_lining", "record_too_empty"),
    *("age_outside_population", "area_mismatch", "parent_without_child"),
    *("identifier_taken_over", "identifier_as_key", "identifier_dropped", "identifier_trace"),
    *("module_thin", "module_undeclared", "doubled_record", "weight_spread", "weight_large"),
    *("psu_in_two_strata", "psu_numbered_in_strata", "psu_of_one", "psu_large", "stratum_constant"),
    *("fpc_too_small", "replicate_sum"),
    *("round_records", "round_weight_sum", "round_sample", "round_variable_gone", "round_distribution"),
    *("round_reversed", "version_records", "version_weight_sum", "version_variable"),
    *("indicator_far", "population_structure", "population_total", "external_far"),
}
TOLD = {
    *("variable", "label", "count", "kind", "evidence", "number"),  # where, and how many
    *("permitted", "missing", "form", "expected", "asked_of", "ages", "area", "held", "core"),  # definitions
    *("now", "before", "target", "kish_effect", "indicator", "median", "countries"),  # aggregates
    *("dissimilarity", "reference", "sex", "source", "year"),
    "code",  # of a category whose share changed
}
"""Parameters of messages. None is a cell of the file."""
OF_COLUMNS = {
    *("weights_all_equal", "item_nonresponse", "weight_spread", "stratum_constant"),
    *("psu_numbered_in_strata", "psu_of_one", "module_thin", "module_undeclared"),
    *("identifier_taken_over", "identifier_as_key", "identifier_dropped", "identifier_trace"),
}
"""Rules that speak of a column or a file as a whole, so that there is no number of records to tell."""
TIER_B = {
    *("RCN1", "RCN4", "RCN5", "RCT2", "RCT3", "RCT4", "RCT5", "RCT6", "RCT7"),
    *("RSK1", "HRM2", "HLP1", "HLP2", "HLP3", "MED5"),
}


@pytest.fixture(params=frameworks())
def framework(request: pytest.FixtureRequest) -> Framework:
    return load_framework(request.param)


def variables(framework: Framework) -> list[tuple[str, str, Variable]]:
    return [
        (module.record, name, variable)
        for module in framework.modules.values()
        for name, variable in module.variables.items()
    ]


def test_the_head_names_its_folder_and_the_missing_codes_of_the_code(
    framework: Framework, root: Path
) -> None:
    assert (root / "schemas" / framework.id).is_dir()
    assert set(framework.head.missing) == {NOT_ASKED, NOT_APPLICABLE, DOES_NOT_KNOW, REFUSED}


def test_age_bands_partition_the_reference_ages_and_their_weights_add_to_one(framework: Framework) -> None:
    ages = framework.head.ages
    covered = [age for band in ages.bands for age in range(band.minimum, band.maximum + 1)]
    assert covered == list(range(ages.minimum, ages.maximum + 1))
    assert sum(band.standard_weight for band in ages.bands) == 1
    assert [band.code for band in ages.bands] == [f"Y{b.minimum}T{b.maximum}" for b in ages.bands]
    age = framework.variables("child")["age"]
    assert (age.minimum, age.maximum) == (ages.accepted_minimum, ages.accepted_maximum)


def test_dimensions_are_those_of_the_published_table(framework: Framework) -> None:
    assert set(framework.head.dimensions) == set(DIMENSIONS)


def test_no_published_cross_has_a_third_dimension_and_region_is_never_crossed(framework: Framework) -> None:
    for name, crossed in framework.head.disaggregations.items():
        assert len(crossed) <= 2, name
        assert crossed == ["region"] or "region" not in crossed, name
    assert framework.head.disaggregations["total"] == []


def test_every_category_of_a_published_dimension_has_its_published_code(framework: Framework) -> None:
    for name, dimension in framework.head.dimensions.items():
        if dimension.variable is None or dimension.by_band:
            continue
        for code in framework.codes(framework.variables("child")[dimension.variable]).values():
            assert code.sdmx, name


def test_persons_with_and_without_disability_are_not_interchanged(framework: Framework) -> None:
    # The global SDG list: PD persons with disability, PWD persons without.
    codes = framework.codelists["CL_DISABILITY"].codes
    assert {number: code.sdmx for number, code in codes.items()} == {0: "PWD", 1: "PD"}


def test_every_variable_is_defined_in_one_sentence_of_its_own(framework: Framework) -> None:
    for record, name, variable in variables(framework):
        assert variable.definition, (record, name)
        assert re.fullmatch(r"[A-Z][^?]*[^.?]\.", variable.definition), (record, name)
        assert not re.search(r"\. [A-Z]", variable.definition), (record, name)
        assert variable.definition.rstrip(".").lower() != variable.label.lower()


def test_types_carry_what_a_check_needs(framework: Framework) -> None:
    for _, name, variable in variables(framework):
        assert (variable.codelist is not None) == (variable.type == "code"), name
        if variable.type == "integer":
            assert variable.minimum is not None, name
        if variable.type == "month":
            assert variable.pattern, name


def test_answers_are_never_negative(framework: Framework) -> None:
    for name, codelist in framework.codelists.items():
        assert codelist.codes, name
        assert min(codelist.codes) >= 0, name
        assert len({code.label for code in codelist.codes.values()}) == len(codelist.codes), name


def test_every_code_list_is_used(framework: Framework) -> None:
    assert set(framework.codelists) == {v.codelist for _, _, v in variables(framework) if v.codelist}


def test_a_universe_asks_only_of_earlier_questions(framework: Framework) -> None:
    for record in ("child", "parent"):
        order = list(framework.variables(record))
        for name, universe in framework.universes_of(record).items():
            assert all(order.index(other) < order.index(name) for other in universe.variables), name


def test_identifiers_and_design_never_pass_in_clear(framework: Framework) -> None:
    for record, name, variable in variables(framework):
        if variable.role == "identifier" and name not in ("country_iso3", "survey_id"):
            assert variable.privacy in ("pseudonymise", "drop"), (record, name)
        if name in ("stratum", "psu", "ssu"):
            assert variable.privacy == "pseudonymise", (record, name)


def test_a_variable_in_both_files_means_the_same(framework: Framework) -> None:
    child, parent = framework.variables("child"), framework.variables("parent")
    shared = child.keys() & parent.keys()
    assert shared == {"country_iso3", "survey_id", "child_id", "stratum", "psu"}
    for name in shared:
        assert (child[name].type, child[name].privacy) == (parent[name].type, parent[name].privacy), name


def test_always_required(framework: Framework) -> None:
    required = {(record, name) for record, name, v in variables(framework) if v.status == "required"}
    assert required == {
        *(("child", name) for name in ("child_id", "stratum", "psu", "weight", "age", "sex")),
        *(("parent", name) for name in ("parent_id", "child_id", "stratum", "psu", "weight_parent")),
    }
    for record, name in required:
        assert framework.module_of(record, name).always


def test_an_indicator_is_as_protected_as_the_variables_that_it_reads(framework: Framework) -> None:
    known = framework.variables("dyad")
    for code, indicator in framework.indicators.items():
        if any(known[name].tier == "B" for name in indicator.variables):
            assert indicator.definition.tier == "B", code
    for _, name, variable in variables(framework):
        if variable.sensitivity == "highly_sensitive":
            assert variable.tier == "B", name


def test_tier_b(framework: Framework) -> None:
    assert {code for code, i in framework.indicators.items() if i.definition.tier == "B"} == TIER_B


def test_an_indicator_stands_in_the_folder_of_its_domain(framework: Framework, root: Path) -> None:
    for path in (root / "indicators").glob("*/*.yaml"):
        assert framework.indicators[path.stem].definition.domain == path.parent.name


def test_members_share_the_universe_and_record_of_their_composite(framework: Framework) -> None:
    for code, indicator in framework.indicators.items():
        for member in indicator.members:
            assert member.universe.text == indicator.universe.text, code
            assert member.denominator.always, code
            assert member.definition.record == indicator.definition.record, code


def test_an_indicator_is_broken_down_only_by_what_its_file_holds(framework: Framework) -> None:
    for code, indicator in framework.indicators.items():
        held = framework.variables(indicator.definition.record)
        names = indicator.definition.disaggregations or framework.head.standard_disaggregations
        for name in names:
            for dimension in framework.head.disaggregations[name]:
                variable = framework.head.dimensions[dimension].variable
                assert variable in held, (code, name)


def test_ages_of_an_indicator_are_those_of_its_universe(framework: Framework) -> None:
    for code, indicator in framework.indicators.items():
        ages = indicator.definition.ages
        stated = re.search(r"age BETWEEN (\d+) AND (\d+)", indicator.universe.text)
        reference = framework.head.ages
        expected = stated.groups() if stated else (reference.minimum, reference.maximum)
        assert (ages.minimum, ages.maximum) == tuple(map(int, expected)), code


def test_not_knowing_counts_as_no_only_where_it_is_an_answer(framework: Framework) -> None:
    treated = {code: i.definition.missing for code, i in framework.indicators.items() if i.definition.missing}
    assert treated == {code: {DOES_NOT_KNOW: "zero"} for code in ("HLP4", "HLP5", "HLP6", "RGT1", "MED5")}
    for code in treated:
        assert "-8" in (framework.indicators[code].definition.note or ""), code


def test_the_rule_book_has_all_classes(framework: Framework) -> None:
    assert set(framework.rules.classes) == CLASSES


def test_messages_say_what_why_and_how_and_never_a_value(framework: Framework) -> None:
    book = framework.rules
    messages: dict[str, Message] = {
        name: rule.message for name, rule in (*book.classes.items(), *book.rules.items())
    }
    for name, message in messages.items():
        for text in (message.what, message.why, message.fix):
            assert text.endswith("."), name
            assert set(re.findall(r"{(.*?)}", text)) <= TOLD, name
        on_records = name in book.rules or book.classes[name].level == 1
        if on_records and name not in OF_COLUMNS:
            assert "{count}" in message.what, name


def test_a_rule_written_by_hand_finds_what_no_universe_finds(framework: Framework) -> None:
    with memory_connection(threads=1) as connection:
        for name, rule in framework.rules.rules.items():
            universes = framework.universes_of(rule.record)
            names = set(framework.violations[name].variables)
            while more := {v for n in names & universes.keys() for v in universes[n].variables} - names:
                names |= more
            rendering = Rendering(present=frozenset(names))
            wanted = [framework.violations[name], *(universes[n] for n in names & universes.keys())]
            answers = ", ".join(
                f"(SELECT unnest({possible(framework, rule.record, n)})) AS _{n}({n})" for n in sorted(names)
            )
            where = " AND ".join(rendering.sql(predicate) for predicate in wanted)
            found = connection.execute(f"SELECT count(*) FROM {answers} WHERE {where}").fetchone()
            assert found is not None
            assert found[0] > 0, f"{name}: every record that breaks the rule breaks a universe too"


def possible(framework: Framework, record: str, name: str) -> list[int]:
    variable = framework.variables(record)[name]
    if variable.codelist:
        return list(framework.codes(variable))
    assert variable.minimum is not None
    assert variable.maximum is not None
    return list(range(int(variable.minimum), int(variable.maximum) + 1))
