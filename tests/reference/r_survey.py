"""The reference cases of R survey 4.5, and how each R call is written with `copstats.estimate`.

A translation is a pattern of R code and a function that returns {(term, stat): our number}. Every number of a
case must be among them: nothing is left uncompared in silence.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from copstats import (
    Calibration,
    Design,
    Estimates,
    ReplicateWeights,
    Sample,
    combine_imputations,
    estimate,
)
from copstats.analyse.intervals import adjusted_size, beta_limits, effective_size, korn_graubard_limits
from copstats.analyse.survey.imputation import missing_information
from copstats.analyse.survey.independence import independence

FOLDER = (
    Path(os.environ.get("COPSTATS_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    / "reference"
    / "estimation"
)
_FILE = FOLDER / "reference.json"
CONTENT: dict[str, Any] = (
    json.loads(_FILE.read_text("utf-8")) if _FILE.is_file() else {"designs": [], "cases": []}
)
DESIGNS: dict[str, dict[str, Any]] = {design["id"]: design for design in CONTENT["designs"]}
CASES: dict[str, dict[str, Any]] = {case["id"]: case for case in CONTENT["cases"]}

Numbers = dict[tuple[str, str], float | None]
STANDARD_AGES = {"09-11": 0.34, "12-14": 0.335, "15-17": 0.325}


@dataclass(frozen=True)
class Case:
    """A case and its sample."""

    name: str
    code: str
    params: Mapping[str, Any]
    options: Mapping[str, Any]
    design: dict[str, Any]

    @property
    def sample(self) -> Sample:
        return sample_of(
            self.design["id"],
            self.options.get("survey.lonely.psu", "adjust"),
            bool(self.options.get("survey.adjust.domain.lonely")),
            bool(self.options.get("survey.ultimate.cluster")),
        )

    def estimate(self, *formulas: str, **options: Any) -> Estimates:
        return estimate(self.sample, None, *formulas, **options)


def case_of(name: str) -> Case:
    case = CASES[name]
    return Case(name, case["r_code"], case["params"] or {}, case["options"] or {}, DESIGNS[case["design"]])


@cache
def data(name: str) -> pa.Table:
    table = pa.csv.read_csv(FOLDER / "data" / f"{name}.csv")
    # `nh` and `Nh` of one file are the same name in SQL.
    return table.rename_columns(["n_sampled" if column == "nh" else column for column in table.column_names])


@cache
def records_of(design_id: str) -> pa.Table:
    design = DESIGNS[design_id]
    with duckdb.connect() as connection:
        connection.register("records", data(design["dataset"]))
        if join := design.get("join"):
            connection.register("others", data(join["dataset"]))
            # An implicate's own answers take the place of those with gaps.
            further = set(data(join["dataset"]).column_names) - set(data(design["dataset"]).column_names)
            listed = ", ".join(f"others.{column}" for column in sorted(further))
            key = join["on"]
            query = f"SELECT records.*, {listed} FROM records JOIN others USING ({key}) ORDER BY {key}"
        else:
            query = f"SELECT * FROM records WHERE {design.get('filter') or 'TRUE'}"
        return connection.sql(query).to_arrow_table()


def design_of(design: dict[str, Any], ultimate: bool = False) -> Design:
    """The design as R's ``svydesign`` or ``svrepdesign`` has it."""
    ids, fpc = design.get("ids") or [], design.get("fpc") or []
    if ultimate:
        return Design(weight="pw", psu=ids[0], fpc=fpc[0])
    return Design(
        weight=design.get("weights"),
        strata=design.get("strata"),
        psu=tuple(ids) if len(ids) == 2 else ids[0] if ids else None,
        fpc=tuple(fpc) if len(fpc) == 2 else fpc[0] if fpc else None,
        replicates=_replicates(design["rep"]) if design.get("rep") else None,
    )


def _replicates(rep: dict[str, Any]) -> ReplicateWeights:
    names = {"subbootstrap": "bootstrap", "mrbbootstrap": "bootstrap"}
    return ReplicateWeights(
        columns=[f"{rep['prefix']}{i}" for i in range(1, rep["n"] + 1)],
        type=names.get(rep["type"], rep["type"]),
        scale=rep.get("scale"),
        rscales=rep.get("rscales"),
        rho=rep.get("rho") or 0.0,
        mse=rep["mse"],
        combined=rep["combined"],
    )


@cache
def sample_of(design_id: str, single_psu: Any, in_domain: bool, ultimate: bool) -> Sample:
    design = replace(
        design_of(DESIGNS[design_id], ultimate), single_psu=single_psu, single_psu_in_domain=in_domain
    )
    return Sample(records_of(design_id), design)


def condition(text: str) -> str:
    """An R condition as SQL."""
    text = re.sub(r"!is\.na\((\w+)\)", r"\1 IS NOT NULL", text)
    return text.replace("==", "=").replace('"', "'").replace("&", "AND")


def numbers(found: Estimates, terms: Sequence[str], df_of: int | None = 0) -> Numbers:
    """Every number of the table and every covariance, under R's names of the terms."""
    out: Numbers = {}
    table = found.table.to_pylist()
    for term, row in zip(terms, table, strict=True):
        out |= {(term, stat): row[stat] for stat in ("se", "ci_lower", "ci_upper", "cv", "deff", "df", "n")}
        out[term, "est"] = row["estimate"]
    for i, first in enumerate(terms):
        out |= {(f"{first}|{second}", "cov"): found.covariance[i, j] for j, second in enumerate(terms)}
    if df_of is not None and table:
        out["design", "df"] = table[df_of]["df"]
    return out


def by_terms(found: Estimates) -> list[str]:
    return [".".join(list(key.values())[3:]) for key in found.keys]


# Translations ---------------------------------------------------------------------------------------------

Translation = Callable[[Case, "re.Match[str]"], Numbers]
TRANSLATIONS: list[tuple[re.Pattern[str], Translation]] = []


def translates(pattern: str) -> Callable[[Translation], Translation]:
    def register(function: Translation) -> Translation:
        TRANSLATIONS.append((re.compile(pattern, re.DOTALL), function))
        return function

    return register


def translated(name: str) -> tuple[Translation, re.Match[str]] | None:
    """The first translation whose pattern is the R code of a case."""
    for pattern, function in TRANSLATIONS:
        if found := pattern.fullmatch(CASES[name]["r_code"]):
            return function, found
    return None


# Calibration ----------------------------------------------------------------------------------------------

_CALIBRATED = {
    "dps": ("w_post", Calibration("pw", margins=[["stype"]])),
    "drk": ("w_rake", Calibration("pw", margins=[["stype"], ["sch_wide"]])),
    "dcal": ("w_cal", Calibration("pw", margins=[["stype"]], numbers=["api99"])),
    "drkcal": ("w_calraking", Calibration("pw", margins=[["stype"], ["sch_wide"]])),
}


@cache
def calibrated_sample(name: str) -> Sample:
    """The sample with the weights that R calibrated, and what they were calibrated to."""
    weight, calibration = _CALIBRATED[name]
    records = data("apiclus1").append_column(weight, data("apiclus1_calibrated_weights").column(weight))
    return Sample(records, Design(weight=weight, psu="dnum", fpc="fpc", calibration=calibration))


@translates(
    r"svy(?P<what>mean|total|by)\(~(?P<y>[\w +]+), (?P<by>~stype, )?"
    r"(?P<design>dps|drk|dcal|drkcal)(?:, svymean)?\)"
)
def calibrated(case: Case, found: re.Match[str]) -> Numbers:
    names = found["y"].split(" + ")
    statistic = "total" if found["what"] == "total" else "mean"
    by = ("stype",) if found["by"] else ()
    sample = calibrated_sample(found["design"])
    result = estimate(sample, None, *[f"{statistic}({name})" for name in names], by=by, df="design")
    out = numbers(result, by_terms(result) if by else names)
    return {key: 0.0 if by and key[1] == "cov" else value for key, value in out.items()}


# Means, totals, ratios and their domains -----------------------------------------------------------------

_OPTIONS = r"(?P<narm>, na\.rm = TRUE)?(?:, deff = (?P<deff>TRUE|\"replace\"))?"
_WHOLE = r"(?:D|d\w+)"
_PART = r"(?:subset\(\w+, (?P<where>[^)]*?(?:\([^)]*\))?)\)|" + _WHOLE + ")"


@translates(rf"svy(?P<what>mean|total)\(~?(?P<y>[\w +]+), {_PART}{_OPTIONS}\)")
def means_and_totals(case: Case, found: re.Match[str]) -> Numbers:
    names = [case.params["y"]] if found["y"] == "f" else found["y"].split(" + ")
    deff = {"TRUE": True, '"replace"': "replace", None: False}[found["deff"]]
    domain = {"where": condition(found["where"]), "df": "domain"} if found["where"] else {"df": "design"}
    missing = "drop" if found["narm"] else "propagate"
    if names == ["stype"]:
        formula = {"mean": "proportion", "total": "count"}[found["what"]]
        result = case.estimate(f"{formula}(stype)", interval="mean", deff=deff, **domain)
        return numbers(result, [f"stype{key['category']}" for key in result.keys])
    if case.name == "copA.trap_listwise":
        both = "y_online IS NOT NULL AND hours IS NOT NULL"
        return numbers(case.estimate(*[f"mean({y})" for y in names], where=both, df="design"), names)
    formulas = [f"{found['what']}({name})" for name in names]
    return numbers(case.estimate(*formulas, missing=missing, deff=deff, **domain), names)


@translates(rf"svyratio\(~(?P<x>\w+), ~(?P<y>\w+), {_WHOLE}{_OPTIONS}\)")
def ratios(case: Case, found: re.Match[str]) -> Numbers:
    x, y = found["x"], found["y"]
    return numbers(case.estimate(f"ratio({x}, {y})", df="design"), [f"{x}/{y}"])


@translates(
    r"svyby\((?:~(?P<y>\w+)|f), (?:~(?P<by>[\w +]+)|bf), \w+, (?:denominator = ~(?P<over>\w+), )?"
    r"svy(?P<what>mean|total|ratio)(?:, na\.rm = TRUE)?(?:, covmat = TRUE)?\)"
)
def domains(case: Case, found: re.Match[str]) -> Numbers:
    y = found["y"] or case.params["y"]
    by = found["by"].split(" + ") if found["by"] else case.params["by"]
    arguments = f"{y}, {found['over']}" if found["over"] else y
    result = case.estimate(f"{found['what']}({arguments})", by=by, df="design")
    out = numbers(result, by_terms(result))
    if "covmat" not in case.code:
        # Without covmat R does not compute covariances and writes 0.
        out = {key: 0.0 if key[1] == "cov" else value for key, value in out.items()}
    return out


@translates(rf"svyciprop\(~(?P<y>\w+), {_PART}, method = (?:m|\"(?P<method>\w+)\")(?:, na\.rm = TRUE)?\)")
def proportions(case: Case, found: re.Match[str]) -> Numbers:
    where = condition(found["where"]) if found["where"] else None
    method = found["method"] or case.params.get("method") or case.name.rsplit("_", 1)[1]
    result = case.estimate(f"mean({found['y']})", where=where, interval=method)
    return numbers(result, [found["y"]])


@translates(r"svyciprop\(as\.formula.*\)")
def proportions_of_valid_answers(case: Case, found: re.Match[str]) -> Numbers:
    y = case.params["y"]
    result = case.estimate(f"mean({y})", where=f"{y} IS NOT NULL", interval=case.params["method"])
    return numbers(result, [y])


@translates(r"list\(\.stats = list\(kg = kg\(v, .*\)\)\)")
def presentation_standard(case: Case, found: re.Match[str]) -> Numbers:
    """The Korn-Graubard limits of the CDC package `surveytable`, by the options of its effective size."""
    where = case.params.get("domain")
    result = case.estimate(f"mean({case.params['y']})", where=condition(where) if where else None)
    p, se, n, df = result.estimate, result.se, result.n, result.df
    size = effective_size(p, se**2, n)
    inside = (p > 0) & (p < 1)
    adjusted = np.where(inside, adjusted_size(size, n, df), size)
    match case.params.get("adj", "nchs"):
        case "nchs":
            size, adjusted = np.minimum(size, n), np.minimum(adjusted, n)
            lower, upper = korn_graubard_limits(p, se**2, n, df)
        case "none":
            lower, upper = beta_limits(p, adjusted)
        case _:
            adjusted = size
            lower, upper = beta_limits(p, size)
    width = upper - lower
    with np.errstate(divide="ignore"):
        found_numbers = {
            "p": p, "se": se, "n": n, "df": df, "n_eff": size, "n_eff_df_adj": adjusted,
            "ci_lower": lower, "ci_upper": upper, "width": width,
            "rel_width": width / p, "rel_width_complement": width / (1 - p),
        }  # fmt: skip
    return {("kg", stat): float(values[0]) for stat, values in found_numbers.items()}


@translates(r"list\(\.stats = setNames\(lapply\(sort\(unique\(D\$variables\$agegrp\)\).*degf\(S\).*")
def counts_of_small_domains(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("mean(one)", "total(one)", by="agegrp", where="disab = 1")
    table = result.table.to_pylist()
    out: Numbers = {}
    for row, size in zip(table[: len(table) // 2], table[len(table) // 2 :], strict=True):
        out |= {(row["agegrp"], stat): row[stat] for stat in ("df", "n", "psus", "strata")}
        out[row["agegrp"], "sum_w"] = size["estimate"]
    # R gives zeros for a band without records; ours has no such domain.
    absent = set(STANDARD_AGES) - {band for band, _ in out}
    return out | {(band, stat): 0 for band in absent for stat in ("df", "n", "psus", "strata", "sum_w")}


# Contrasts ------------------------------------------------------------------------------------------------


def one(result: Estimates, name: str = "contrast") -> Numbers:
    return numbers(result, [name])


def _linear(result: Estimates, text: str) -> Estimates:
    """A contrast that R writes as ``c(`2` = 1, M = -1)``."""
    coefficients = {
        name.strip("`"): float(value) for name, value in re.findall(r"(`?[\w.]+`?) = (-?[\d.]+)", text)
    }
    return result.contrast([coefficients.get(term, 0.0) for term in by_terms(result)])


@translates(
    r"svycontrast\(svyby\(~(?P<y>\w+), ~(?P<by>\w+), \w+, svymean(?:, na\.rm = TRUE)?, covmat = TRUE\),"
    r" c\((?P<coefficients>[^()]*)\)\)"
)
def linear_contrasts(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate(f"mean({found['y']})", by=found["by"], df="design")
    return one(_linear(result, found["coefficients"]))


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "E/H": lambda t: t["E"] / t["H"],
    "log(E/H)": lambda t: np.log(t["E"] / t["H"]),
    "log(`3`/`1`)/2": lambda t: np.log(t["3"] / t["1"]) / 2,
}


@translates(
    r"svycontrast\(svyby\(~(?P<y>\w+), ~(?P<by>\w+), \w+, svymean, covmat = TRUE\), quote\((?P<of>.*)\)\)"
)
def smooth_contrasts(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate(f"mean({found['y']})", by=found["by"], df="design")
    terms, function = by_terms(result), _FUNCTIONS[found["of"]]
    return one(result.contrast(lambda theta: function(dict(zip(terms, theta, strict=True)))))


@translates(r"svycontrast\(svytotal\(~yd \+ disab.*|svycontrast\(svytotal\(~yE \+ dE.*")
def subgroup_minus_all(case: Case, found: re.Match[str]) -> Numbers:
    y, group = ("y_online", "disab") if "disab" in case.code else ("sw", "(stype = 'E')::INTEGER")
    result = case.estimate(f"ratio({y} * {group}, {group})", f"mean({y})", df="design")
    return one(result.difference({"statistic": "ratio"}, {"statistic": "mean"}))


@translates(r"svycontrast\(svymean\(~y_online \+ y_all \+ I\(1 - y_rare\), dA\).*")
def geometric_mean(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("mean(y_online)", "mean(y_all)", "mean(1 - y_rare)", df="design")
    return one(result.contrast(lambda theta: (theta[0] * theta[1] * theta[2]) ** (1 / 3)))


@translates(r"list\(\.stats = list\(wrong_independent = .*")
def difference_without_covariance(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("mean(api00)", by="stype")
    return {("wrong_independent", "se"): float(np.sqrt((result.se[:2] ** 2).sum()))}


@translates(r"svycontrast\(byc, (?:list\(region = )?c\((?P<coefficients>[^()]*)\)(?:/(?P<over>[\d.]+)\))?\)")
def country_contrasts(case: Case, found: re.Match[str]) -> Numbers:
    result = _linear(case.estimate("mean(y_online)", by="country", df="design"), found["coefficients"])
    if found["over"]:
        return one(result.contrast([1 / float(found["over"])]), "region")
    return one(result)


@translates(r"svycontrast\(cs, list\(AAA = quote\(AAA\.F/AAA\.M\).*")
def parity_ratios(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("mean(y_online)", by=("country", "sex"), df="design")
    out: Numbers = {}
    for country in ("AAA", "BBB", "CCC"):
        parity = result.ratio({"country": country, "sex": "F"}, {"country": country, "sex": "M"})
        out |= one(parity, country)
    # Countries are drawn independently: the covariance of a sum of two is that of the parts.
    return out | {(f"{a}|{b}", "cov"): 0.0 for a, b in (("AAA", "BBB"), ("AAA", "CCC"), ("BBB", "CCC"))}


@translates(r"\{\s*q <- svyby\(~y_online, ~country \+ quint.*")
def gaps_of_quintiles(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("mean(y_online)", by=("country", "quint"), df="design")
    out: Numbers = {("AAA_q5_q1|BBB_q5_q1", "cov"): 0.0}
    for country in ("AAA", "BBB"):
        gap = result.difference({"country": country, "quint": "5"}, {"country": country, "quint": "1"})
        out |= one(gap, f"{country}_q5_q1")
    return out


@translates(r"svyttest\(.*\)")
def t_tests(case: Case, found: re.Match[str]) -> Numbers:
    """The difference of two domains; R takes one degree of freedom for it."""
    from scipy.special import stdtr

    if "~ 0" in case.code:
        result = case.estimate("mean(api00 - api99)")
    else:
        y, by = ("enroll", "comp_imp") if "enroll" in case.code else ("HI_CHOL", "RIAGENDR")
        groups = case.estimate(f"mean({y})", by=by)
        result = groups.contrast([-1.0, 1.0])
    df = float(result.df[0]) - 1 + ("~ 0" in case.code) * 0
    result = replace(result, support=replace(result.support, fixed=df))
    statistic = float(result.estimate[0] / result.se[0])
    lower, upper = result.confidence_limits()
    return {
        ("test", "statistic"): statistic,
        ("test", "p_value"): float(2 * stdtr(df, -abs(statistic))),
        ("test", "df"): df,
        ("test", "estimate"): float(result.estimate[0]),
        ("test", "ci_lower"): float(lower[0]),
        ("test", "ci_upper"): float(upper[0]),
    }


@translates(r"\{\s*r <- svyratio\(~api_stu, ~enroll, dstrat, separate = TRUE\).*")
def ratios_by_stratum(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("ratio(api_stu, enroll)", by="stype")
    out: Numbers = {}
    for term, value, se in zip(by_terms(result), result.estimate, result.se, strict=True):
        out |= {(term, "ratio"): value, (term, "var"): se**2}
    return out


@translates(r"\{\s*t0 <- svytable\(~sch_wide \+ stype, dstrat\).*")
def two_way_table(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("count(sch_wide)", by="stype")
    return {
        ("cells", f"{key['category']}:{key['stype']}"): value
        for key, value in zip(result.keys, result.estimate, strict=True)
    }


# Standardisation ------------------------------------------------------------------------------------------


def _standard(case: Case) -> tuple[str, Mapping[str, float]]:
    if case.design["id"] != "nhanes":
        return "agegrp", STANDARD_AGES
    levels = sorted(set(records_of("nhanes").column("agecat").to_pylist()), key=_first_age)
    return "agecat", dict(zip(levels, case.params["std"], strict=True))


def _first_age(label: str) -> int:
    found = re.search(r"\d+", label)
    assert found is not None
    return int(found[0])


@translates(
    r"svymean\(~(?P<y>\w+), svystandardize\([\w$]+, by = ~\w+, population = \w+"
    r"(?:, excluding\.missing = ~\w+)?\)\)"
)
def standardised_mean(case: Case, found: re.Match[str]) -> Numbers:
    by, weights = _standard(case)
    return numbers(
        case.estimate(f"mean({found['y']})", by=by, df="design").standardise(by, weights), [found["y"]]
    )


@translates(
    r"svyby\(~(?P<y>\w+), ~(?P<by>[\w +]+), (?:design = )?"
    r"(?:dst|svystandardize\(.*\)|(?P<adults>subset\(svystandardize\(.*\), agecat != \"\(0,19\]\"\)))"
    r", svymean.*\)"
)
def standardised_domains(case: Case, found: re.Match[str]) -> Numbers:
    by, weights = _standard(case)
    over = found["by"].split(" + ")
    if found["adults"]:
        weights = {level: weight for level, weight in weights.items() if level != "(0,19]"}
    where = "agecat <> '(0,19]'" if found["adults"] else None
    result = case.estimate(f"mean({found['y']})", by=[*over, by], where=where, df="design")
    result = result.standardise(by, weights)
    out = numbers(result, by_terms(result))
    if "covmat" not in case.code:
        out = {key: 0.0 if key[1] == "cov" else value for key, value in out.items()}
    return out


@translates(r"svycontrast\(svyby\(~y_online, ~country, svystandardize\(dABC.*")
def standardised_difference(case: Case, found: re.Match[str]) -> Numbers:
    by, weights = _standard(case)
    result = case.estimate("mean(y_online)", by=["country", by], df="design").standardise(by, weights)
    return one(result.difference({"country": "AAA"}, {"country": "BBB"}))


@translates(r"svycontrast\(sxa, list\(sex1 = .*")
def standardised_sexes(case: Case, found: re.Match[str]) -> Numbers:
    by, weights = _standard(case)
    result = case.estimate("mean(HI_CHOL)", by=["RIAGENDR", by], df="design").standardise(by, weights)
    return numbers(result, ["sex1", "sex2"])


# Quantiles ------------------------------------------------------------------------------------------------


def _shares(text: str) -> str:
    return ", ".join(re.findall(r"[\d.]+", text))


@translates(
    r"svyquantile\(~(?P<y>\w+), [\w$]+, (?:quantiles = )?c\((?P<shares>[^)]*)\)(?:, na\.rm = TRUE)?"
    r"(?:, qrule = \"(?P<rule>\w+)\")?(?:, interval\.type = \"(?P<interval>\w+)\")?, ci = TRUE\)"
)
def quantiles(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate(
        f"quantile({found['y']}, {_shares(found['shares'])})",
        df="design",
        quantile_rule=found["rule"] or "math",
        quantile_interval=found["interval"] or "mean",
    )
    return numbers(result, [f"{found['y']}@{key['category']}" for key in result.keys])


@translates(r"\{\s*r <- svyby\(~hours, ~sex, dA, svyquantile.*")
def medians_of_domains(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("median(hours)", by="sex")
    return numbers(result, by_terms(result))


# Tests of independence ------------------------------------------------------------------------------------


@translates(
    rf"svychisq\(~(?P<rows>\w+) \+ (?P<columns>\w+), {_WHOLE}(?:, statistic = (?P<what>s|\"\w+\"))?\)"
)
def tests_of_independence(case: Case, found: re.Match[str]) -> Numbers:
    statistic = case.name.rsplit("_", 1)[1] if case.name.rsplit("_", 1)[1] != "quint" else "F"
    result = independence(case.sample, found["rows"], found["columns"], statistic=statistic)
    return {
        ("test", "statistic"): result.statistic,
        ("test", "p_value"): result.p,
        ("test", "ndf"): result.df,
        ("test", "ddf"): result.df_error,
        ("test", "df"): result.df,
    }


# Replicates and imputations -------------------------------------------------------------------------------


@translates(r"withReplicates\(D, quote\(sum\(\.weights \* y_online \* \(sex == \"F\"\)\).*")
def gap_of_replicates(case: Case, found: re.Match[str]) -> Numbers:
    result = case.estimate("mean(y_online)", by="sex", df="design")
    return numbers(result.difference({"sex": "F"}, {"sex": "M"}), ["t1"])


@translates(r"\{\s*S <- subset\(D, disab == 1\).*")
def domain_of_replicates(case: Case, found: re.Match[str]) -> Numbers:
    return numbers(case.estimate("mean(y_online)", where="disab = 1"), ["disab"])


@translates(
    r"MIcombine\(with\(dmi, svymean\(~y_bully, na\.rm = TRUE\)\)(?P<complete>, df\.complete = degf\(dA\))?\)"
)
def imputations(case: Case, found: re.Match[str]) -> Numbers:
    records = records_of(case.design["id"])
    implicates = sorted(set(records.column("imp").to_pylist()))
    design = design_of(case.design)
    parts = [
        estimate(records.filter(pc.equal(records.column("imp"), implicate)), design, "mean(y_bully)")
        for implicate in implicates
    ]
    complete = float(parts[0].df[0]) if found["complete"] else float("inf")
    result = combine_imputations(parts, complete_df=complete)
    missing = missing_information(parts, complete_df=complete)
    return numbers(result, ["y_bully"]) | {
        ("y_bully", "df_mi"): float(result.df[0]),
        ("y_bully", "missinfo"): float(missing[0]),
    }
