"""A headless Chromium for the tests of this folder, and a fresh page for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.browser_page import Page
from tests.support.chromium import Chromium, find_chromium


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    """One browser for all tests."""
    binary = find_chromium()
    if binary is None:
        pytest.skip("no Chromium: install the package `chromium`, or set CHROMIUM to a binary")
    async with Chromium.launched(binary) as browser:
        yield browser


@pytest.fixture
async def page(chromium: Chromium) -> AsyncIterator[Page]:
    """An empty page with a profile of its own."""
    async with chromium.page() as page:
        yield page
