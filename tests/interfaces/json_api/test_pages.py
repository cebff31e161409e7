"""The pages about the JSON API are whole, and ours alone (spec S123, S136)."""

import pytest
from django.test import Client
from django.utils.html import escape

from sampan.database import Connection
from sampan.interfaces.json_api.operations import OPERATIONS
from sampan.interfaces.json_api.problems import KINDS
from tests.interfaces.portal.pages import html, visitor, words


@pytest.fixture
def client(database: Connection) -> Client:
    return visitor()


def test_every_operation_stands_there_with_its_fields(client: Client) -> None:
    answer = client.get("/v1/docs")
    page = html(answer)
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in page
        assert f"{operation.method} {operation.path}" in page
    assert "<code>results[].price_hkd</code>" in page
    assert "<code>to[].fields</code>" in page
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "<script>" not in page


def test_every_problem_has_its_page(client: Client) -> None:
    for kind in KINDS.values():
        page = html(client.get(kind.address))
        assert escape(kind.title) in page
        assert kind.address in page


def test_what_is_no_problem_has_none(client: Client) -> None:
    assert client.get("/v1/problems/boredom").status_code == 404
    assert "not-a-mobile" in words(client.get("/v1/problems/"))
