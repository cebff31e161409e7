"""Pages, APIs and files behind one port, over real HTTP: each of these broke in some ready-made bridge."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from sampan.database import Connection, connect
from sampan.messages.tables import ComposeDraft
from tests.interfaces.running import WebProcess, submit, token, web_process
from tests.world import PASSWORD, make_customer, make_places, send

PATIENCE_S = 10.0
MEBI = 1 << 20


@pytest.fixture(scope="module")
def running(migrated_database: Connection) -> Iterator[WebProcess]:
    with web_process() as process:
        yield process


@pytest.fixture
def web(running: WebProcess, database: Connection) -> WebProcess:
    make_places()
    make_customer()
    return running


def eventually(condition: Callable[[], object]) -> None:
    """What another process does is waited for, by looking."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def locked(table: str) -> Iterator[Callable[[int], None]]:
    """Whoever reads the table waits; gives a function that waits until so many do."""
    with connect("lock") as conn, connect("looking") as looking:

        def waiting(count: int) -> None:
            sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
            eventually(lambda: (looking.execute(sql, [table]).fetchone() or [0])[0] >= count)

        with conn.transaction():
            conn.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield waiting


def test_a_form_signs_in_and_the_session_holds(web: WebProcess) -> None:
    client = web.visitor()
    assert client.post("/sign-in/", data={"name": "harbour", "password": PASSWORD}).status_code == 403  # no token
    answer = submit(client, "/sign-in/", {"name": "harbour", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert "Welcome, Harbour Florist" in client.get("/").text


def test_files_have_hashed_addresses_and_are_kept_for_good(web: WebProcess) -> None:
    client = web.visitor()
    address = re.search(r'href="(/static/[0-9a-f]{12}/sampan/sampan\.css)"', client.get("/sign-in/").text)
    assert address
    answer = client.get(address[1])
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (settings.STATIC_FOLDER / "sampan/sampan.css").read_bytes()


def test_a_file_of_4_mb_arrives_whole(web: WebProcess) -> None:
    """spec S1"""
    client = web.signed_in()
    lines = [f"{91_000_000 + number},{'x' * 70}" for number in range(49_999)]
    octets = "\n".join(lines).encode()
    assert 3.9e6 < len(octets) < 4 * MEBI
    answer = submit(
        client,
        "/compose/",
        {"source": "file", "purpose": "1", "validity": "120", "when": "now", "do": "count", "text": "花"},
        files={"file": ("list.csv", octets)},
    )
    assert answer.status_code == 302, answer.text
    kept = ComposeDraft.objects.get().lists.get()
    assert bytes(kept.octets) == octets
    assert len(kept.numbers) == 49_999


@pytest.mark.parametrize("mebi", [9, 30])
def test_what_is_larger_than_any_form_gets_a_page_that_says_so(web: WebProcess, mebi: int) -> None:
    client = web.signed_in()
    answer = client.post(
        "/compose/", data={"csrfmiddlewaretoken": token(client.get("/compose/"))}, files={"file": bytes(mebi * MEBI)}
    )
    assert answer.status_code == 413
    assert "This file is larger than 4 MB" in answer.text
    assert "Nothing has been sent or charged." in answer.text
    assert not ComposeDraft.objects.exists()


def test_cookies_in_two_headers_are_two_cookies(web: WebProcess) -> None:
    """HTTP/2 splits them, and Django would join them by a comma."""
    session = web.signed_in().cookies["sessionid"].encode()
    answer = web.raw(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a=1\r\nCookie: sessionid=%s\r\nConnection: close\r\n\r\n"
        % session
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Welcome, Harbour Florist" in answer


def test_a_header_with_an_underscore_does_not_pass_for_one_with_a_dash(web: WebProcess) -> None:
    chinese = b'value="zh-hant" lang="zh-Hant-HK" aria-current'
    request = b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\nAccept%sLanguage: zh-HK\r\nConnection: close\r\n\r\n"
    assert chinese in web.raw(request % b"-")
    assert chinese not in web.raw(request % b"_")


def test_head_gives_what_get_gives_without_its_body(web: WebProcess) -> None:
    client = web.visitor()
    for path in ("/sign-in/", f"{settings.STATIC_URL}sampan/mark.svg"):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]


def test_paths_are_unicode(web: WebProcess) -> None:
    assert "There is no such page" in web.visitor().get("/花店/").text
    assert web.visitor().get("/sign-in").headers["location"] == "/sign-in/"


def test_an_export_is_sent_while_it_is_read(web: WebProcess, database: Connection) -> None:
    """spec S100"""
    many = 20_000
    send(database, make_customer("large", balance="10000"), range(85261000000, 85261000000 + many), now=timezone.now())
    with web.signed_in("large").stream("GET", "/results.csv") as answer:
        assert "content-length" not in answer.headers
        assert sum(piece.count(b"\n") for piece in answer.iter_bytes()) == many + 1
    eventually(lambda: not exports(database))


def test_who_hangs_up_in_mid_export_frees_its_thread_and_connection(web: WebProcess, database: Connection) -> None:
    many = 50_000
    send(database, make_customer("large", balance="20000"), range(85261000000, 85261000000 + many), now=timezone.now())
    client = web.signed_in("large")
    request = f"GET /results.csv HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={client.cookies['sessionid']}\r\n\r\n"
    for _ in range(6):  # more than may be streamed at once
        with socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE_S) as line:
            line.sendall(request.encode())
            assert line.recv(1_000).startswith(b"HTTP/1.1 200 ")
    eventually(lambda: not exports(database))
    assert client.get("/results.csv?number=61000000").text.count("\n") == 2


def exports(conn: Connection) -> int:
    lines = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
    row = conn.execute(lines, ["sampan export"]).fetchone()
    assert row
    return int(row[0])


def test_apis_and_files_answer_while_every_thread_of_the_pages_waits(web: WebProcess) -> None:
    members = [web.signed_in() for _ in range(4)]
    web.visitor().get(api("f_getserverqueue"))  # the password is proven, and remembered
    with ThreadPoolExecutor(4) as threads, locked("django_session") as waiting:
        pages = [threads.submit(member.get, "/") for member in members]
        waiting(2)
        assert web.visitor().get(api("f_getserverqueue")).text == "QUEUE:0"
        assert web.visitor().get(f"{settings.STATIC_URL}sampan/mark.svg").status_code == 200
        assert not any(page.done() for page in pages)
    assert {page.result().status_code for page in pages} == {200}


def api(address: str) -> str:
    return f"/misweb/{address}.aspx?username=harbour&password={PASSWORD.replace(' ', '+')}"


def test_slow_uploads_hold_no_thread(web: WebProcess) -> None:
    lines = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(8)]
    for line in lines:
        line.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nname=")
    assert web.visitor().get("/sign-in/").status_code == 200
    for line in lines:
        line.close()
    assert web.visitor().get("/sign-in/").status_code == 200


def test_a_page_after_the_database_dropped_its_lines_is_made(web: WebProcess, migrated_database: Connection) -> None:
    """As after a restart of PostgreSQL: nobody sees a fault for it."""
    client = web.signed_in()
    connections.close_all()  # this process's own
    migrated_database.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND application_name IN ('sampan pages', 'sampan django')"
    )
    assert {client.get("/").status_code for _ in range(6)} == {200}


def test_a_page_in_flight_is_finished_before_the_process_ends(database: Connection) -> None:
    make_places()
    make_customer()
    with web_process() as web, ThreadPoolExecutor(1) as threads:
        client = web.signed_in()
        with locked("account") as waiting:
            page = threads.submit(client.get, "/")
            waiting(1)
            threading.Timer(0.0, web.process.terminate).start()
            eventually(lambda: not accepts(web.port))
            assert not page.done()
        assert page.result().status_code == 200
        assert web.process.wait(PATIENCE_S) == 0


def accepts(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/sign-in/", timeout=1.0).status_code == 200
    except httpx.HTTPError:
        return False
