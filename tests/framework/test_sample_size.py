"""Sample sizes against tables and programs of others, and against themselves the other way round."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from copstats.errors import DefinitionError, UsageError
from copstats.framework.publishable import publishable
from copstats.framework.sample_size import precision, precisions, sample_size, sizes
from copstats.framework.sampling_design import Design, Fieldwork

SHARES = st.floats(0.02, 0.98)
DESIGNS = st.builds(
    Design,
    icc=st.floats(0, 0.3),
    children_per_psu=st.floats(1, 60),
    base_share=st.floats(0.1, 1),
    population=st.none() | st.integers(50, 10**7),
    confidence=st.floats(0.5, 0.999),
)

KREJCIE_MORGAN = {
    10: 10, 50: 44, 100: 80, 200: 132, 300: 169, 500: 217, 1000: 278, 1500: 306, 2000: 322, 3000: 341,
    5000: 357, 10_000: 370, 20_000: 377, 50_000: 381, 75_000: 382, 1_000_000: 384,
}  # fmt: skip


@pytest.mark.parametrize(("population", "expected"), KREJCIE_MORGAN.items())
def test_finite_populations_as_krejcie_and_morgan_tabulate(population: int, expected: int) -> None:
    """Krejcie and Morgan (1970), Educational and Psychological Measurement 30, table 1; p = .5, e = .05."""
    found = sample_size(0.5, margin=0.05, design=Design(population=population))
    assert round(found.unrounded) == expected


def test_the_size_that_everybody_knows() -> None:
    """Cochran: 384.16 with z = 1.96, thus 385 in full."""
    found = sample_size(0.5, margin=0.05)
    assert found.unrounded == pytest.approx(384.1458821)
    assert (found.valid_answers, found.children, found.deff) == (385, 385, 1.0)


@pytest.mark.parametrize(
    ("prevalence", "margin", "confidence", "expected"),
    [(0.2, 0.05, 0.90, 173.1547810621066), (0.5, 0.01, 0.99, 16587.24150255304)],
)
def test_simple_random_samples_as_statsmodels_gives_them(
    prevalence: float, margin: float, confidence: float, expected: float
) -> None:
    """statsmodels 0.14, stats.proportion.samplesize_confint_proportion(p, e, alpha)."""
    found = sample_size(prevalence, margin=margin, design=Design(confidence=confidence))
    assert found.unrounded == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("error", "individuals", "households", "lower", "upper"),
    [
        (0.12, 544, 587, 0.152, 0.248),
        (0.11, 648, 699, 0.156, 0.244),
        (0.10, 784, 846, 0.160, 0.240),
        (0.05, 3136, 3382, 0.180, 0.220),
    ],
)
def test_the_table_of_the_demographic_and_health_surveys(
    error: float, individuals: int, households: int, lower: float, upper: float
) -> None:
    """ICF International (2012), DHS Sampling and Household Listing Manual, section 1.6.2.

    p = .2, deft = 1.4, individual response .96, household response .92, 1.05 persons in a household; by
    relative standard error. The manual's limits are two standard errors wide and it rounds to the nearest.
    """
    design = Design(deff=1.4**2, confidence=math.erf(2 / math.sqrt(2)))
    fieldwork = Fieldwork(household_response=0.92, child_response=0.96, children_per_household=1.05)
    found = sample_size(0.2, relative_margin=2 * error, design=design, fieldwork=fieldwork)
    assert round(found.unrounded) == individuals
    assert abs(found.households_to_select - households) <= 1
    back = precision(0.2, individuals, design=design)
    assert (round(0.2 - back.margin, 3), round(0.2 + back.margin, 3)) == (lower, upper)


@pytest.mark.parametrize(
    ("prevalence", "deff", "share", "size"), [(0.5, 1.5, 0.03, 6), (0.25, 2.0, 0.15, 4.5)]
)
def test_the_formula_of_the_multiple_indicator_cluster_surveys(
    prevalence: float, deff: float, share: float, size: float
) -> None:
    """UNICEF, MICS manual, chapter 4: n = 4 r (1 - r) deff 1.1 / ((.12 r)^2 p size), households."""
    margin = 0.12 * prevalence
    expected = 4 * prevalence * (1 - prevalence) * deff * 1.1 / (margin**2 * share * size)
    design = Design(deff=deff, confidence=math.erf(2 / math.sqrt(2)))
    fieldwork = Fieldwork(household_response=1 / 1.1, eligible_share=share * size)
    found = sample_size(prevalence, relative_margin=0.12, design=design, fieldwork=fieldwork)
    assert found.households_to_select == math.ceil(expected)


@pytest.mark.parametrize(
    ("prevalence", "relative_error", "expected"), [(0.01, 0.05, 39600), (0.5, 0.05, 400), (0.1, 0.1, 900)]
)
def test_a_coefficient_of_variation_as_in_practools(
    prevalence: float, relative_error: float, expected: float
) -> None:
    """R PracTools, nProp(CV0, pU): q / p / CV^2; its first example is p = .01, CV = .05."""
    relative_margin = relative_error * Design().z
    found = sample_size(prevalence, relative_margin=relative_margin)
    assert found.unrounded == pytest.approx(expected)


@pytest.mark.parametrize(
    ("children", "icc", "expected"),
    [(1, 0.9, 1.0), (20, 0.05, 1.95), (10, 0.1, 1.9), (41, 0.025, 2.0), (15, 0.0, 1.0), (30, 0.2, 6.8)],
)
def test_the_design_effect_of_clusters(children: float, icc: float, expected: float) -> None:
    """Kish (1965), section 5.4: 1 + (b - 1) rho, by hand."""
    assert Design(icc=icc, children_per_psu=children).effect == pytest.approx(expected)


def test_only_children_of_the_base_count_in_the_design_effect() -> None:
    """20 children in a class, half of them asked: b = 10."""
    design = Design(icc=0.1, children_per_psu=20, base_share=0.5)
    assert design.effect == pytest.approx(1.9)
    assert Design(icc=0.1, children_per_psu=20, base_share=0.01).effect == 1.0


def test_a_whole_survey_by_hand() -> None:
    """p = .2, e = .04, z = 1.96: 384.1; deff 1 + 19 * .05 = 1.95: 749.1; 60 % in the base: 1248.47."""
    found = sample_size(
        0.2,
        margin=0.04,
        design=Design(icc=0.05, children_per_psu=20 / 0.6, base_share=0.6),
        fieldwork=Fieldwork(
            psu_response=0.9, household_response=0.8, child_response=0.75, eligible_share=0.4
        ),
        domains=4,
    )
    assert found.deff == pytest.approx(1.95)
    assert (found.valid_answers, found.children, found.children_to_select) == (750, 1249, 1665)
    assert found.households_to_select == 5202  # 1248.47 / (.8 * .75 * .4) = 5201.98
    assert (found.psus, found.psus_to_select, found.households_per_psu) == (38, 43, 139)
    assert (found.total_children, found.total_children_to_select) == (4996, 6660)
    assert (found.total_households_to_select, found.total_psus_to_select) == (20808, 172)


def test_without_clusters_there_are_no_units_to_count() -> None:
    found = sample_size(0.3, margin=0.05, design=Design(deff=1.5), domains=2)
    assert (found.psus, found.psus_to_select, found.households_per_psu) == (None, None, None)
    assert found.total_psus_to_select is None


@given(SHARES, st.floats(0.01, 0.99), DESIGNS)
def test_precision_is_the_inverse(prevalence: float, part: float, design: Design) -> None:
    margin = part * min(prevalence, 1 - prevalence)
    found = sample_size(prevalence, margin=margin, design=design)
    back = precision(prevalence, found.unrounded / design.base_share, design=design)
    assert back.margin == pytest.approx(margin, rel=1e-6)
    assert back.relative_margin == pytest.approx(margin / prevalence, rel=1e-6)


@given(SHARES, st.floats(0.01, 0.99), DESIGNS)
def test_what_is_rounded_up_is_never_less_precise(prevalence: float, part: float, design: Design) -> None:
    margin = part * min(prevalence, 1 - prevalence)
    found = sample_size(prevalence, margin=margin, design=design)
    assume(design.population is None or found.children * design.base_share <= design.population)
    assert precision(prevalence, found.children, design=design).margin <= margin * (1 + 1e-6)
    assert found.psus is not None
    assert found.psus * (design.children_per_psu or 0) >= found.children * (1 - 1e-6)


@given(SHARES, st.floats(0.05, 0.9), DESIGNS, st.floats(0.2, 1), st.floats(0.2, 1))
def test_losses_only_add(
    prevalence: float, part: float, design: Design, household: float, eligible: float
) -> None:
    margin = part * min(prevalence, 1 - prevalence)
    fieldwork = Fieldwork(household_response=household, eligible_share=eligible)
    found = sample_size(prevalence, margin=margin, design=design, fieldwork=fieldwork)
    assert found.valid_answers <= found.children <= found.children_to_select <= found.households_to_select


@given(SHARES, st.floats(0.05, 0.9), st.integers(50, 10**6))
def test_a_finite_population_never_asks_for_more(prevalence: float, part: float, population: int) -> None:
    margin = part * min(prevalence, 1 - prevalence)
    many = sample_size(prevalence, margin=margin).unrounded
    some = sample_size(prevalence, margin=margin, design=Design(population=population)).unrounded
    assert some <= max(many, 1.0) + 1e-6
    assert some <= population + 1e-6


def test_a_census_has_no_sampling_error() -> None:
    assert precision(0.3, 500, design=Design(population=500)).margin == 0


def test_the_same_precision_of_a_simple_random_sample() -> None:
    design = Design(icc=0.05, children_per_psu=20)
    clustered = precision(0.3, 1950, design=design)
    assert clustered.effective == pytest.approx(1000)
    assert clustered.margin == pytest.approx(precision(0.3, 1000).margin)


def test_tables_over_prevalences() -> None:
    shares = [0.01, 0.05, 0.1, 0.5]
    design = Design(deff=2)
    table = sizes(shares, relative_margin=0.2, design=design, domains=3)
    assert table == [sample_size(p, relative_margin=0.2, design=design, domains=3) for p in shares]
    assert [row.children for row in table] == sorted((row.children for row in table), reverse=True)
    back = precisions(shares, 2000, design=design)
    assert back == [precision(p, 2000, design=design) for p in shares]
    assert [row.margin for row in back] == sorted(row.margin for row in back)


IMPOSSIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "prevalence 0": ("U150", {"prevalence": 0.0}),
    "prevalence 1": ("U150", {"prevalence": 1.0}),
    "prevalence in per cent": ("U150", {"prevalence": 20.0}),
    "not a number": ("U150", {"prevalence": math.nan}),
    "margin 0": ("U150", {"margin": 0.0}),
    "negative relative margin": ("U150", {"margin": None, "relative_margin": -0.1}),
    "no margin": ("U151", {"margin": None}),
    "two margins": ("U151", {"relative_margin": 0.1}),
    "margin of the prevalence": ("U154", {"margin": 0.2}),
    "margin up to 1": ("U154", {"prevalence": 0.98, "margin": 0.03}),
    "confidence 1": ("U150", {"design": Design(confidence=1.0)}),
    "deff 0": ("U150", {"design": Design(deff=0.0)}),
    "infinite deff": ("U150", {"design": Design(deff=math.inf)}),
    "deff and icc": ("U151", {"design": Design(deff=2.0, icc=0.1, children_per_psu=10)}),
    "icc without children": ("U152", {"design": Design(icc=0.1)}),
    "icc above 1": ("U150", {"design": Design(icc=1.5, children_per_psu=10)}),
    "icc too low": ("U155", {"design": Design(icc=-0.5, children_per_psu=10)}),
    "no children in a unit": ("U150", {"design": Design(icc=0.1, children_per_psu=0)}),
    "no base": ("U150", {"design": Design(base_share=0.0)}),
    "no population": ("U150", {"design": Design(population=0)}),
    "losses beyond the population": (
        "U153",
        {"design": Design(population=100), "fieldwork": Fieldwork(child_response=0.5)},
    ),
    "no response": ("U150", {"fieldwork": Fieldwork(child_response=0.0)}),
    "response in per cent": ("U150", {"fieldwork": Fieldwork(psu_response=90.0)}),
    "no eligible household": ("U150", {"fieldwork": Fieldwork(eligible_share=0.0)}),
    "less than a child": ("U150", {"fieldwork": Fieldwork(children_per_household=0.5)}),
    "no domain": ("U150", {"domains": 0}),
}


@pytest.mark.parametrize(("code", "given_"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_is_impossible_is_told(code: str, given_: dict[str, Any]) -> None:
    arguments = {"prevalence": 0.2, "margin": 0.02} | given_
    with pytest.raises(UsageError) as caught:
        sample_size(**arguments)
    assert caught.value.code == code
    assert all(text and "{" not in text for text in (caught.value.title, caught.value.why, caught.value.hint))


@pytest.mark.parametrize(
    ("code", "children", "design"),
    [("U150", 0, Design()), ("U153", 101, Design(population=100)), ("U152", 10, Design(icc=0.1))],
)
def test_an_impossible_sample_has_no_precision(code: str, children: float, design: Design) -> None:
    with pytest.raises(UsageError) as caught:
        precision(0.2, children, design=design)
    assert caught.value.code == code


def test_what_a_domain_needs_to_be_published() -> None:
    """By hand, from the profile of cop-2026: 5 and 10 events in 5 per cent are 100 and 200 answers."""
    tier_a, tier_b = publishable(0.05)
    assert (tier_a.tier, tier_a.minimum_answers, tier_a.reliable_answers) == ("A", 25, 50)
    assert (tier_b.tier, tier_b.minimum_answers, tier_b.reliable_answers) == ("B", 50, 100)
    assert (tier_a.minimum_events, tier_b.minimum_events) == (5, 10)
    assert (tier_a.minimum_psus, tier_b.minimum_psus) == (3, 5)
    assert (tier_a.valid_answers, tier_b.valid_answers) == (100, 200)


def test_a_frequent_answer_needs_the_minimum_only() -> None:
    assert [one.valid_answers for one in publishable(0.5)] == [25, 50]
    assert [one.children for one in publishable(0.5, base_share=0.5)] == [50, 100]
    assert publishable(0.95)[0].valid_answers == publishable(0.05)[0].valid_answers


@pytest.mark.parametrize(
    ("share", "assurance"), [(0.01, 0.95), (0.05, 0.8), (0.3, 0.99), (0.5, 0.5), (0.02, 0.1)]
)
def test_an_assured_number_is_the_smallest_that_holds(share: float, assurance: float) -> None:
    """Against the binomial distribution summed with the standard library."""

    def reached(n: int, events: int) -> float:
        below = sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(events))
        return 1 - below

    for one in publishable(share, assurance=assurance):
        n, events = one.valid_answers, one.minimum_events
        assert n >= one.minimum_answers
        assert reached(n, events) >= assurance - 1e-9
        if n > one.minimum_answers:
            assert reached(n - 1, events) < assurance + 1e-9


@pytest.mark.parametrize(
    "given_", [{"prevalence": 0.0}, {"prevalence": 1.0}, {"assurance": 1.0}, {"base_share": 0.0}]
)
def test_an_impossible_domain_is_told(given_: dict[str, float]) -> None:
    with pytest.raises(UsageError) as caught:
        publishable(**({"prevalence": 0.2} | given_))  # type: ignore[arg-type]
    assert caught.value.code == "U150"


def test_a_profile_without_a_threshold_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "schemas" / "cop-2026"
    folder.mkdir(parents=True)
    with pytest.raises(DefinitionError) as caught:
        publishable(0.2, root=tmp_path)
    assert caught.value.code == "D016"
    (folder / "disclosure.yaml").write_text("thresholds:\n  minimum_events:\n    tiers: {A: 5}\n", "utf-8")
    with pytest.raises(DefinitionError) as caught:
        publishable(0.2, root=tmp_path)
    assert (caught.value.code, caught.value.where) == ("D002", "disclosure.yaml:1")


def documented(root: Path, name: str) -> list[list[float]]:
    """Return the numbers of a table of docs/sample-size.md."""
    text = (root / "docs" / "sample-size.md").read_text("utf-8")
    _, _, after = text.partition(f"<!-- table: {name} -->\n")
    rows = after.split("\n\n")[0].splitlines()[2:]
    return [[float(cell.replace(",", "")) for cell in row.strip("| ").split("|")] for row in rows]


def test_the_documented_sizes_are_the_computed_ones(root: Path) -> None:
    design = Design(icc=0.05, children_per_psu=20)
    fieldwork = Fieldwork(psu_response=0.95, household_response=0.9, child_response=0.85, eligible_share=0.4)
    table = documented(root, "sizes")
    assert len(table) == 5
    for share, *numbers in table:
        found = sample_size(share, relative_margin=0.2, design=design, fieldwork=fieldwork)
        margin = round(100 * precision(share, 3000, design=design).margin, 1)
        units = [found.children, found.psus, found.psus_to_select, found.households_to_select]
        assert numbers == [*units, margin]


def test_the_documented_minima_are_the_computed_ones(root: Path) -> None:
    table = documented(root, "publishable")
    assert len(table) == 6
    for share, *numbers in table:
        average, assured = publishable(share), publishable(share, assurance=0.95)
        pairs = zip(average, assured, strict=True)
        assert numbers == [one.valid_answers for pair in pairs for one in pair]
