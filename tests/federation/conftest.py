"""Options of the federation tests."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def update_plans() -> bool:
    """Write the plans instead of comparing them: ``UPDATE_PLANS=1 make test
    ARGS=tests/federation``.
    """
    return bool(os.environ.get("UPDATE_PLANS"))
