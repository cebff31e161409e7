"""What went wrong is said in the design's words, and where to go (design: Principles, 4)."""

import re
from typing import Any, ClassVar, NoReturn

from django.test import Client, override_settings
from django.urls import path
from structlog.testing import capture_logs

from sampan.interfaces import errors, urls


def visitor(**settings: Any) -> Client:
    return Client(SERVER_NAME="localhost", **settings)


def test_a_page_that_is_not_there_leads_to_those_that_are() -> None:
    page = visitor().get("/nope/")
    assert page.status_code == 404
    assert b"There is no such page" in page.content
    assert b'href="/results/"' in page.content


class BrokenSite:
    """The pages, with one that fails."""

    @staticmethod
    def broken(_request: object) -> NoReturn:
        raise RuntimeError("the harbour is closed")

    urlpatterns: ClassVar = [path("broken/", broken), *urls.urlpatterns]
    handler500 = staticmethod(errors.fault)


@override_settings(ROOT_URLCONF=BrokenSite)
def test_a_fault_of_ours_has_a_reference_that_the_log_knows() -> None:
    with capture_logs() as logged:
        page = visitor(raise_request_exception=False).get("/broken/")
    assert page.status_code == 500
    assert b"pressing Send twice never sends it twice" in page.content
    reference = re.search(rb'<dd class="code">([^<]+)</dd>', page.content)
    assert reference
    (line,) = [line for line in logged if line["event"] == "page.failed"]
    assert line["reference"] == reference[1].decode()
    assert line["path"] == "/broken/"
    assert "the harbour is closed" in str(line["exc_info"][1])


def test_error_pages_need_no_database() -> None:
    """There is no `database` here, so a query would fail."""
    for address in ("/nope/", "/too-large/"):
        assert b"Sampan" in visitor().get(address).content


def test_a_request_for_another_host_is_not_ours() -> None:
    assert Client(SERVER_NAME="evil.example").get("/sign-in/").status_code == 400
