"""What tests share as fixtures."""

from collections.abc import Iterator

import pytest
from django.utils.translation import override
from hypothesis import settings
from playwright.sync_api import Browser, Page

from sampan.accounts.hashing import PasswordHasher
from tests.browser import chromium
from tests.database import (
    database,
    migrated_database,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_unconfigure,
)

__all__ = [
    "database",
    "migrated_database",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_unconfigure",
]

PAGE_TIMEOUT_MS = 10_000

# Argon2 at its cheapest, for thousands of passwords; what runs in processes of its own has the real one.
PasswordHasher.time_cost, PasswordHasher.memory_cost, PasswordHasher.parallelism = 1, 8, 1

settings.register_profile("sampan", deadline=None)  # a busy machine is no failure; speed is measured by `make bench`
settings.load_profile("sampan")


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """The language that a request of one test has chosen does not stay for the next."""
    with override("en"):
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of one module, not of the whole session: beside it no test could use asyncio."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without cookies. The test fails where a script of the page did."""
    context = browser.new_context()
    context.set_default_timeout(PAGE_TIMEOUT_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []
