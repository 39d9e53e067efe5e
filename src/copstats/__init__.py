"""copstats: comparable, disclosure-safe indicators on child online protection from national surveys."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# What analysts use, by the module that holds it. Types stand in `__init__.pyi`: an import here, even one for
# types only, would make every zone depend on the analysis zone.
_PLACES = {
    "Calibration": "design",
    "Design": "design",
    "Estimates": "result",
    "ReplicateWeights": "design",
    "Sample": "sample",
    "combine_imputations": "imputation",
    "estimate": "api",
}


def __getattr__(name: str) -> Any:
    """Import what analysts use when they first ask for it: the command line starts without DuckDB."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"copstats.analyse.survey.{_PLACES[name]}"), name)
