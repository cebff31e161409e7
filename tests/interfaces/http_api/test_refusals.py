"""What the HTTP API refuses: every error, and the order of the checks (spec S120)."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from sampan.accounts.tables import Person
from sampan.database import Connection, DatabaseThreads, Snapshot
from sampan.dispatch.dispatcher import utc_now
from sampan.interfaces import http_api
from sampan.interfaces.http_api import CODES
from sampan.messages.intake import Intake
from sampan.reasons import Reason
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.http_api.asking import RIGHT, SEND, STATUS, Ask, answers, with_door
from tests.world import PASSWORD, PLATFORM, SENDER, make_customer, make_mallory, make_places


def test_each_parameter_has_its_error(database: Connection) -> None:
    make_places()
    make_customer()
    answers(
        [
            *(({name: None}, "ERROR:240") for name in RIGHT),
            ({"content": "你好"}, "ERROR:241"),
            ({"langeng": "0", "content": "4F6"}, "ERROR:241"),
            ({"langeng": "0", "content": "zzzz"}, "ERROR:241"),
            ({"langeng": "0", "content": "4F60 597D"}, "ERROR:241"),
            ({"langeng": "0", "content": "D83D"}, "ERROR:241"),
            ({"langeng": "2"}, "ERROR:242"),
            ({"langeng": ""}, "ERROR:242"),
            ({"recipient": ""}, "ERROR:243"),
            ({"recipient": ","}, "ERROR:243"),
            ({"recipient": "85261234567;85261234568"}, "ERROR:243"),
            ({"recipient": "8526123 4567"}, "ERROR:243"),
            ({"recipient": "852-61234567"}, "ERROR:243"),
            ({"recipient": ",".join(str(85261000000 + n) for n in range(21))}, "ERROR:243"),
            ({"dos": ""}, "ERROR:244"),
            ({"dos": "tomorrow"}, "ERROR:244"),
            ({"dos": "2027-02-30 10:00"}, "ERROR:244"),
            ({"dos": "2027-02-03T10:00"}, "ERROR:244"),
            ({"senderid": "x" * 17}, "ERROR:245"),
            ({"raw": (urlencode(RIGHT) + "&senderid=Other").encode()}, "ERROR:245"),
            ({"dncr": "2"}, "ERROR:248"),
            ({"dncr": ""}, "ERROR:248"),
            ({"purpose": "fun"}, "ERROR:248"),
            ({"client_ref": "x" * 101}, "ERROR:240"),
            ({"content": "a\tb"}, "ERROR:249"),
            ({"content": "a\0b"}, "ERROR:249"),
            ({"username": "har\x1bbour"}, "ERROR:249"),
            ({"langeng": "0", "content": "00410000"}, "ERROR:249"),
            ({"raw": urlencode(RIGHT).replace("Hello", "%FF%FE").encode()}, "ERROR:249"),
            ({"raw": urlencode(RIGHT).encode() + b"&x=\xff"}, "ERROR:249"),
            ({"username": "nobody"}, "ERROR:2"),
            ({"username": ""}, "ERROR:2"),
            ({"password": "wrong"}, "ERROR:2"),
            ({"username": "x" * 21}, "ERROR:2"),
            ({"senderid": ""}, "ERROR:8"),
            ({"senderid": "Mallory"}, "ERROR:8"),
            ({"senderid": "no punctuation!"}, "ERROR:8"),
            ({"senderid": "RANDOMID", "recipient": "447911123456"}, "ERROR:8"),
            ({"senderid": "RANDOMID", "recipient": "85261234567,447911123456"}, "ERROR:8"),
            ({"recipient": "61234567"}, "ERROR:17"),
            ({"recipient": "85225550142"}, "ERROR:17"),
            ({"recipient": "85261234567,12"}, "ERROR:17"),
            ({"content": ""}, "ERROR:6"),
            ({"content": "   "}, "ERROR:6"),
            ({"content": "a" * 460}, "ERROR:6"),
            ({"langeng": "0", "content": "82B1" * 202}, "ERROR:6"),
            ({"dos": f"{utc_now() + timedelta(days=2000):%Y-%m-%d} 10:00"}, "ERROR:5"),
        ]
    )


def test_the_checks_come_in_the_contracts_order(database: Connection) -> None:
    """249, 240, 241…248, 2, 3, 8, 17, 6, 5, 16: each wrong thing is mended in turn, and the next one shows."""
    make_places()
    make_customer(balance="0.10")
    wrong: dict[str, Any] = {
        "x": "\x01",
        "username": None,
        "content": "你",
        "langeng": "7",
        "recipient": "abc",
        "dos": "?",
        "senderid": "x" * 17,
        "dncr": "9",
        "password": "wrong",
    }
    mended: list[tuple[str, Any, str]] = [
        ("x", "", "ERROR:249"),
        ("username", "harbour", "ERROR:240"),
        ("langeng", "1", "ERROR:242"),
        ("content", "", "ERROR:241"),
        ("recipient", "12", "ERROR:243"),
        ("dos", "2099-01-01 00:00", "ERROR:244"),
        ("senderid", "Nobody", "ERROR:245"),
        ("dncr", "0", "ERROR:248"),
        ("password", PASSWORD, "ERROR:2"),
        ("senderid", SENDER, "ERROR:8"),
        ("recipient", "85261234567", "ERROR:17"),
        ("content", "Hello", "ERROR:6"),
        ("dos", "now", "ERROR:5"),
    ]

    async def scenario(ask: Ask) -> None:
        for name, value, answer in mended:
            assert (name, (await ask(**wrong)).text) == (name, answer)
            wrong[name] = value
        assert (await ask(**wrong)).text == "ERROR:16"

    with_door(scenario)


def test_suspended_accounts_and_short_balances_have_their_numbers(database: Connection) -> None:
    make_places()
    harbour = make_customer(balance="0.28")

    async def scenario(ask: Ask) -> None:
        assert (await ask()).text == "ERROR:16"
        database.execute("UPDATE customer SET status = 3 WHERE id = %s", [harbour.pk])
        Snapshot.forget_all()
        assert (await ask(senderid="Nobody")).text == "ERROR:3"

    with_door(scenario)


def test_status_errors_and_anothers_id_is_as_if_it_were_not(database: Connection) -> None:
    make_places()
    make_customer()
    make_mallory()

    async def scenario(ask: Ask) -> None:
        await ask()
        assert (await ask(STATUS)).text == "ERROR:240"
        for wrong in ("", "12345", "abc", "1e5", "-100001", "1" * 19):
            assert (await ask(STATUS, smsdid=wrong)).text == "ERROR:246"
        assert (await ask(STATUS, smsdid="100001")).text == "STATUS:2;ERRORCODE:300"
        assert (await ask(STATUS, smsdid="999999")).text == "ERROR:9"
        assert (await ask(STATUS, smsdid="100001", username="mallory")).text == "ERROR:9"

    with_door(scenario)


@pytest.mark.parametrize("role", ["viewer", "finance"])
def test_who_may_not_send_has_no_way_in(database: Connection, role: str) -> None:
    make_places()
    make_customer()
    Person.objects.update(role=role)
    answers([({}, "ERROR:2")])


def test_a_body_that_is_too_large_is_refused(database: Connection) -> None:
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        assert (await ask(post=True, raw=b"content=" + b"a" * 70_000)).text.startswith("ERROR:")

    with_door(scenario)


def test_randomid_where_there_is_no_economic_route_is_refused(database: Connection) -> None:
    make_places()
    make_customer()
    database.execute("UPDATE route SET code = 'hk-cheap' WHERE code = 'hk-economic'")
    Snapshot.forget_all()
    answers([({"senderid": "RANDOMID"}, "ERROR:8")])


def test_a_body_that_does_not_come_is_waited_for_a_while(database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spec S125."""
    monkeypatch.setattr(http_api, "ANSWER_WITHIN_S", 0.05)
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        intake, threads = Intake(PLATFORM), DatabaseThreads(1, "tests")
        scope = {"type": "http", "method": "POST", "path": SEND, "query_string": b"", "headers": []}
        await http_api.HttpApi(intake, threads)(scope, never, send)
        await intake.close()
        threads.close()

    asyncio.run(run())
    assert sent[-1]["body"] == b"ERROR:20"


def test_every_refusal_that_a_draft_can_meet_has_a_number() -> None:
    elsewhere = {
        Reason.OVERLOADED,  # HTTP 429
        Reason.BAD_VALIDITY,  # not a parameter here
        Reason.BAD_TIME,
    }
    for reason in (
        Reason.NO_TEXT,
        Reason.TOO_LONG,
        Reason.SENDER_NOT_YOURS,
        Reason.NOT_A_MOBILE,
        Reason.ACCOUNT_DISABLED,
    ):
        assert reason in CODES
    assert not elsewhere & CODES.keys()
