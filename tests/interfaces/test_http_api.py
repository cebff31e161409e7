"""The HTTP API to the letter of its contract: every parameter, every error, the order of the checks (spec S120)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from sampan.accounts.keys import add_key
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection, DatabaseThreads, Snapshot
from sampan.dispatch.dispatcher import utc_now
from sampan.interfaces.http_api import CODES, HttpApi
from sampan.messages.intake import Intake
from sampan.messages.tables import Batch, Lane, Message, Queued, Source
from sampan.reasons import Reason
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.calling import Reply, call
from tests.world import PASSWORD, PLATFORM, SENDER, make_customer, make_mallory, make_places

SEND = "/misweb/f_sendsms.aspx"
STATUS = "/misweb/f_getsmsdstatus.aspx"
BALANCE = "/misweb/f_getuserbalance.aspx"
QUEUE = "/misweb/f_getserverqueue.aspx"
RIGHT = {
    "username": "harbour",
    "password": PASSWORD,
    "content": "Hello",
    "langeng": "1",
    "recipient": "85261234567",
    "dos": "now",
    "senderid": SENDER,
}

Ask = Callable[..., Awaitable[Reply]]


def with_door(scenario: Callable[[Ask], Awaitable[None]]) -> None:
    """Run a scenario with `ask(path, **changes)`; a change to None leaves the parameter out."""

    async def run() -> None:
        intake, threads = Intake(PLATFORM), DatabaseThreads(2, "tests")
        door = HttpApi(intake, threads)

        async def ask(path: str = SEND, *, raw: bytes | None = None, post: bool = False, **changes: Any) -> Reply:
            wanted = RIGHT if path == SEND else {"username": "harbour", "password": PASSWORD}
            values = {name: value for name, value in (wanted | changes).items() if value is not None}
            query = raw if raw is not None else urlencode(values).encode()
            if post:
                return await call(door, path, method="POST", body=query)
            return await call(door, path, query)

        try:
            await scenario(ask)
        finally:
            await intake.close()
            threads.close()

    asyncio.run(run())


def answers(expected: list[tuple[dict[str, Any], str]]) -> None:
    """Each call gets its answer, and none of those refused leaves anything behind."""

    async def scenario(ask: Ask) -> None:
        for changes, answer in expected:
            reply = await ask(**changes)
            assert (changes, reply.text) == (changes, answer)
            assert reply.status == 200
        assert not Message.objects.exists()

    with_door(scenario)


def test_one_id_for_each_recipient_in_their_order(database: Connection) -> None:
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        reply = await ask(recipient="85261234567,+447911123456,85261234567")
        assert reply.text == "SMSDID:100001,100002,100001"
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert [m.recipient for m in Message.objects.order_by("id")] == [85261234567, 447911123456]
        batch = Batch.objects.get()
        assert (batch.source, batch.text, batch.sender) == (Source.HTTP, "Hello", SENDER)

    with_door(scenario)


def test_get_and_post_any_order_empty_pairs_unknown_parameters_and_any_case(database: Connection) -> None:
    """http_api.md: named, in any order; `?&a=b` is no error; unknown ones are ignored."""
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        turned = urlencode(dict(reversed(RIGHT.items())))
        assert (await ask(raw=f"&{turned}&&nonsense=1&=x&flag".encode())).text == "SMSDID:100001"
        assert (await ask(post=True)).text == "SMSDID:100002"
        shouted = turned.replace("username", "UserName").replace("senderid", "SenderID")
        assert (await ask(raw=shouted.encode())).text == "SMSDID:100003"
        assert (await ask("/misweb/F_SendSMS.aspx", **RIGHT)).text == "SMSDID:100004"

    with_door(scenario)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("4F60597D55CE003F0061", "你好嗎?a"),
        ("4f60597d55ce003f0061", "你好嗎?a"),
        ("D83DDE00", "😀"),
        ("00410042", "AB"),
    ],
)
def test_unicode_comes_as_utf_16_in_hex(database: Connection, content: str, text: str) -> None:
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        assert (await ask(langeng="0", content=content)).text == "SMSDID:100001"
        assert Batch.objects.get().text == text
        assert Message.objects.get().coding == 8  # forced, also where English would do

    with_door(scenario)


def test_a_plus_before_a_number_is_forgiven_also_as_the_space_it_becomes(database: Connection) -> None:
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        query = urlencode(RIGHT).replace("recipient=85261234567", "recipient=+85261234567,%2B447911123456,")
        assert (await ask(raw=query.encode())).text == "SMSDID:100001,100002"

    with_door(scenario)


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


def test_english_may_break_lines_and_pages(database: Connection) -> None:
    """CR, LF and FF are no dangerous characters."""
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        assert (await ask(content="a\r\nb\nc\fd")).text == "SMSDID:100001"

    with_door(scenario)


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


@pytest.mark.parametrize(
    ("dos", "scheduled"),
    [
        ("NOW", None),
        ("2020-01-01 00:00", None),
        ("{tomorrow} 9:05", "01:05:00"),
        ("{tomorrow} 09:05:30", "01:05:30"),
    ],
)
def test_dos_is_hong_kong_time_and_the_past_is_now(database: Connection, dos: str, scheduled: str | None) -> None:
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        tomorrow = f"{utc_now() + timedelta(days=1):%Y-%m-%d}"
        assert (await ask(dos=dos.format(tomorrow=tomorrow))).text == "SMSDID:100001"
        at = Batch.objects.get().scheduled_at
        assert (f"{at:%H:%M:%S}" if at else None) == scheduled
        assert (await ask(STATUS, smsdid="100001")).text == f"STATUS:{3 if scheduled else 2};ERRORCODE:300"

    with_door(scenario)


def test_randomid_takes_the_economic_route_and_is_promotional(database: Connection) -> None:
    """Spec S40, S93."""
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        assert (await ask(senderid="randomid")).text == "SMSDID:100001"
        assert Message.objects.get().price_pips == 1_800
        assert Queued.objects.get().lane == Lane.PROMOTIONAL
        assert Batch.objects.get().sender == ""

    with_door(scenario)


def test_purpose_and_dncr_are_kept(database: Connection) -> None:
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        await ask()
        await ask(purpose="Promotional", dncr="0")
        await ask(purpose="1", dncr="1")
        kept = [(batch.purpose, batch.register_filter) for batch in Batch.objects.order_by("id")]
        assert kept == [(1, None), (2, False), (1, True)]

    with_door(scenario)


def test_a_repeated_client_ref_gives_the_first_answer_and_other_content_240(database: Connection) -> None:
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        replies = await asyncio.gather(*(ask(client_ref="order-7") for _ in range(5)))
        assert {reply.text for reply in replies} == {f"SMSDID:{Message.objects.get().pk}"}
        assert (await ask(client_ref="order-7", content="Other")).text == "ERROR:240"

    with_door(scenario)


def test_a_filtered_number_gets_its_id_and_ends_with_its_reason(database: Connection) -> None:
    """One that no route serves: 21/306, free."""
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        assert (await ask(recipient="2348031234567")).text == "SMSDID:100001"
        assert (await ask(STATUS, smsdid="100001")).text == "STATUS:21;ERRORCODE:306"

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


def test_balance_has_two_decimals_rounded_down_with_holds_off_and_queue_counts_ones_own(database: Connection) -> None:
    make_places()
    make_customer(balance="1234.5678")
    make_mallory()

    async def scenario(ask: Ask) -> None:
        assert (await ask(BALANCE)).text == "BALANCE:1234.56"
        assert (await ask(QUEUE)).text == "QUEUE:0"
        await ask(recipient="85261234567,85261234568")
        await ask(username="mallory", senderid="Mallory", purpose="2")
        assert (await ask(BALANCE)).text == "BALANCE:1233.98"
        assert (await ask(QUEUE)).text == "QUEUE:2"
        assert (await ask(BALANCE, password=None)).text == "ERROR:240"
        assert (await ask(QUEUE, password="wrong")).text == "ERROR:2"

    with_door(scenario)


def test_an_api_key_works_as_password_and_the_password_can_be_switched_off(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    key = add_key(Person.objects.get(login_name="harbour"), name="shop", now=utc_now())
    assert len(key) == 20

    async def scenario(ask: Ask) -> None:
        assert (await ask(BALANCE, password=key)).text == "BALANCE:1000.00"
        assert (await ask(BALANCE, username="HARBOUR", password=key)).text == "BALANCE:1000.00"
        Customer.objects.filter(pk=harbour.pk).update(api_password_allowed=False)
        Snapshot.forget_all()
        assert (await ask(BALANCE)).text == "ERROR:2"
        assert (await ask(BALANCE, password=key)).text == "BALANCE:1000.00"
        database.execute("UPDATE api_key SET revoked_at = now()")
        Snapshot.forget_all()
        assert (await ask(BALANCE, password=key)).text == "ERROR:2"

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


def test_every_refusal_that_a_draft_can_meet_has_a_number() -> None:
    elsewhere = {
        Reason.OVERLOADED,  # HTTP 429
        Reason.BAD_VALIDITY,  # not a parameter here
        Reason.BAD_TIME,
        Reason.NO_ROUTE,  # the end of a message; no route can be named here
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


def test_text_is_decoded_once(database: Connection) -> None:
    """A percent sign of the text itself arrives as one."""
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        await ask(content="100% + 5%25")
        assert Batch.objects.get().text == "100% + 5%25"
        query = urlencode(RIGHT | {"content": "x"}).replace("content=x", "content=" + quote("15% off & more"))
        assert (await ask(raw=query.encode())).text == "SMSDID:100002"
        assert Batch.objects.order_by("-id")[0].text == "15% off & more"

    with_door(scenario)
