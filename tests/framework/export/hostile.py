"""A framework whose texts try what texts can do to a reader's program."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from copstats.framework import Framework, load_framework

FORMULA = '=HYPERLINK("http://example.org","open")'
MARKUP = "<script>alert(1)</script>"


def hostile_framework() -> Framework:
    """Return cop-2026 with a formula as the label, and markup as the definition, of the variable age."""
    framework = load_framework()
    module = framework.modules["demographics"]
    age = msgspec.structs.replace(module.variables["age"], label=FORMULA, definition=MARKUP)
    changed = msgspec.structs.replace(module, variables={**module.variables, "age": age})
    return replace(framework, modules={**framework.modules, "demographics": changed})
