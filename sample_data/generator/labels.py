"""Labels of SPSS and Stata columns: the framework's in English, or a country's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from copstats.framework.definitions import Variable
from copstats.framework.expressions import DOES_NOT_KNOW, REFUSED
from copstats.framework.loader import Framework
from copstats.framework.manifest import Mapping as Recoding
from sample_data.generator.national import Column
from sample_data.generator.writers import Labels


def labels_for(
    framework: Framework,
    columns: Mapping[str, Column],
    recodings: Mapping[str, Recoding],
    language: str,
) -> Labels:
    """Return labels of the national columns; value labels follow the recodes of the crosswalk."""
    texts = yaml.safe_load((Path(__file__).parent / "labels.yaml").read_text("utf-8")).get(language, {})
    names: dict[str, str] = {}
    values: dict[str, dict[Any, str]] = {}
    missing: dict[str, list[Any]] = {}
    for name, variable in framework.variables("child").items():
        recoding = recodings.get(name)
        column = recoding.source or name if recoding else name
        if column not in columns:
            continue
        names[column] = variable.label[:80]
        of_code = _code_labels(framework, variable, texts)
        if not of_code and not (recoding and recoding.map):
            continue
        national = recoding.map if recoding and recoding.map else {code: code for code in of_code}
        values[column] = {_bare(n): of_code[code] for n, code in national.items() if code in of_code}
        missing[column] = [n for n, code in national.items() if code in (DOES_NOT_KNOW, REFUSED)]
    return Labels(names, values, missing if recodings else {})


def _code_labels(framework: Framework, variable: Variable, texts: Mapping[str, Any]) -> dict[int, str]:
    if variable.codelist is None:
        return {}
    own = texts.get(variable.codelist, {code: c.label for code, c in framework.codes(variable).items()})
    common = texts.get("missing", {code: m.label for code, m in framework.head.missing.items()})
    return {**own, **common}


def _bare(value: Any) -> Any:
    """Return ``a`` for Stata's extended missing value ``.a``."""
    return value[1:] if isinstance(value, str) and value.startswith(".") else value
