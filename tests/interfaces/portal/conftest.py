"""What the tests of the pages share as fixtures."""

import pytest
from django.template import Engine

UNKNOWN = "¡%s!"  # pages.py looks for it


@pytest.fixture(autouse=True)
def unknown_names_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that asks for what it was not given says so, and the test that reads the page fails."""
    monkeypatch.setattr(Engine.get_default(), "string_if_invalid", UNKNOWN)
