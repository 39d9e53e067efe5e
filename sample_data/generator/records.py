"""Puts a survey's records together: keys, design, interview, answers, in the order of the framework."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest
from sample_data.generator.answers import CHILD_ITEMS, draw_children, draw_parents
from sample_data.generator.design import SCHOOL_CLASSES, Sample, draw_sample
from sample_data.generator.questionnaire import PARENT
from sample_data.generator.surveys import Survey, shift_of

Table = dict[str, NDArray[Any]]


def draw_records(
    rng: np.random.Generator, survey: Survey, manifest: SurveyManifest, framework: Framework
) -> tuple[Table, Table | None]:
    """Return the child table and, where the survey interviewed parents, the parent table."""
    sample = draw_sample(rng, survey.plan, manifest)
    shift = shift_of(survey, [*CHILD_ITEMS, *PARENT])
    answers = draw_children(
        rng,
        sample.known,
        sample.psu,
        shift,
        age_floor=manifest.population.age_floor or 0,
        unfiltered=survey.unfiltered,
    )
    child: Table = _keys(sample, manifest) | _interview(rng, len(sample.psu), manifest) | answers
    columns = _asked(framework, survey, manifest, "child")
    table = {name: child[name] for name in columns if name in child}
    if not survey.parents:
        return table, None
    linked = np.flatnonzero(rng.random(len(sample.psu)) < survey.parents)
    parent = _parents(rng, {name: values[linked] for name, values in child.items()}, shift, manifest)
    return table, {
        name: parent[name] for name in _asked(framework, survey, manifest, "parent") if name in parent
    }


def _asked(framework: Framework, survey: Survey, manifest: SurveyManifest, record: str) -> list[str]:
    """Return the variables of the covered modules that this survey's file holds."""
    left_out = {*manifest.not_asked, *survey.dropped}
    design = {"hh_id", "school_id", "class_id", "adm1", "fpc_psu" if manifest.design.fpc else ""}
    return [
        name
        for module in framework.modules.values()
        if module.record == record and (module.always or module.module in manifest.modules)
        for name, variable in module.variables.items()
        if name not in left_out
        and (variable.status != "optional" or name in survey.optional or name in design)
    ]


def _keys(sample: Sample, manifest: SurveyManifest) -> Table:
    region = np.char.zfill((sample.stratum // 2 + 1).astype(str), 2)
    stratum = np.char.add(region, np.where(sample.stratum % 2 == 0, "U", "R"))
    unit = np.char.add(stratum, np.char.zfill(sample.cluster.astype(str), 2))
    member = np.char.zfill(sample.member.astype(str), 2)
    keys = {
        "country_iso3": np.full(len(unit), manifest.ref_area),
        "stratum": stratum,
        "psu": np.char.zfill(sample.cluster.astype(str), 2),
        "weight": sample.weight,
        "fpc_psu": sample.frame,
        "adm1": np.char.add(f"{manifest.ref_area[:2]}-", region),
    }
    if manifest.population.setting == "school":
        form = np.char.add(unit, np.where(sample.member % SCHOOL_CLASSES == 0, "B", "A"))
        return keys | {"child_id": np.char.add(form, member), "school_id": unit, "class_id": form}
    household = np.char.add(unit, member)
    return keys | {"child_id": np.char.add(household, "-1"), "hh_id": household}


def _interview(rng: np.random.Generator, n: int, manifest: SurveyManifest) -> Table:
    school = manifest.population.setting == "school"
    mode = 4 if school else 2 if manifest.mode == "self_completed" else 1
    languages = manifest.translation.languages if manifest.translation else ["en"]
    shares = [1.0] if len(languages) == 1 else [0.85, *[0.15 / (len(languages) - 1)] * (len(languages) - 1)]
    privacy = np.full(n, 4) if school else rng.choice([1, 2, 3], n, p=[0.86, 0.09, 0.05])
    return {
        "int_ym": _months(rng, n, manifest),
        "int_mode": np.full(n, mode),
        "int_lang": rng.choice(languages, n, p=shares),
        "int_privacy": privacy,
        "consent_parent": np.where(rng.random(n) < 0.99, 1, 2),
        "assent_child": np.ones(n, dtype=np.int64),
        "int_result": np.where(rng.random(n) < 0.985, 1, 2),
    }


def _months(rng: np.random.Generator, n: int, manifest: SurveyManifest) -> NDArray[Any]:
    start, end = manifest.fieldwork.start, manifest.fieldwork.end
    first, last = (date.year * 12 + date.month - 1 for date in (start, end))
    months = [f"{month // 12}-{month % 12 + 1:02d}" for month in range(first, last + 1)]
    return rng.choice(months, n)


def _parents(
    rng: np.random.Generator, child: Table, shift: dict[str, float], manifest: SurveyManifest
) -> Table:
    answers = draw_parents(rng, child, shift)
    n = len(child["age"])
    return {
        "country_iso3": child["country_iso3"],
        "parent_id": np.char.add(child["hh_id"], "-P"),
        "child_id": child["child_id"],
        "stratum": child["stratum"],
        "psu": child["psu"],
        "weight_parent": np.round(child["weight"] * rng.lognormal(0, 0.08, n), 4),
        "p_int_ym": child["int_ym"],
        "p_int_mode": np.full(n, 1),
        **answers,
    }
