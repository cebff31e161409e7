"""What calls of the HTTP API do: every parameter, the answers (spec S120)."""

import asyncio
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest

from sampan.accounts.keys import add_key
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection, Snapshot
from sampan.dispatch.dispatcher import utc_now
from sampan.messages.tables import Batch, Lane, Message, Queued, Source
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.http_api.asking import BALANCE, QUEUE, RIGHT, STATUS, Ask, with_door
from tests.world import SENDER, make_customer, make_mallory, make_places


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


def test_english_may_break_lines_and_pages(database: Connection) -> None:
    """CR, LF and FF are no dangerous characters."""
    make_places()
    make_customer()

    async def scenario(ask: Ask) -> None:
        assert (await ask(content="a\r\nb\nc\fd")).text == "SMSDID:100001"

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
