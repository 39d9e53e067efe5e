from __future__ import annotations

import pytest

from copstats.framework import Framework
from tests.process.material import small_framework


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Framework:
    return small_framework(tmp_path_factory.mktemp("small"))
