"""The methodological framework and the indicator catalogue: loaded, typed, checked."""

from copstats.framework.loader import (
    DEFAULT_FRAMEWORK,
    Area,
    Framework,
    ParsedIndicator,
    frameworks,
    load_areas,
    load_framework,
)

__all__ = [
    "DEFAULT_FRAMEWORK",
    "Area",
    "Framework",
    "ParsedIndicator",
    "frameworks",
    "load_areas",
    "load_framework",
]
