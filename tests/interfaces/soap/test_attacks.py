"""What is no request of the contract is refused with a fault that says how to mend it, and costs little (spec S121)."""

import tracemalloc

import pytest

from sampan.accounts.blocking import MOST_FAILURES
from sampan.database import Connection, Snapshot
from sampan.interfaces.soap import door
from sampan.interfaces.soap.reading import MOST_DEPTH, MOST_ELEMENTS, MOST_MESSAGE_IDS, Version
from sampan.messages.tables import Message
from tests.interfaces.doors.soap import envelope
from tests.interfaces.soap.asking import Ask, request, send_sms, with_door
from tests.world import make_customer, make_places

MEBI = 1 << 20
RIGHT = envelope(send_sms("85261234567"))
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE lol [<!ENTITY l0 "lol">{LAUGHS}]>'

MALFORMED = {
    "": "NotXml",
    "SMS, please": "NotXml",
    RIGHT[:-10]: "NotXml",
    f"{RIGHT}<more/>": "NotXml",
    RIGHT.replace("Hello", "&hello;"): "NotXml",
    RIGHT.replace("Hello", "a\x01b"): "NotXml",
    RIGHT.replace('xmlns="urn', 'xmlns="\u6d73urn:%zz'): "NotXml",
    "<html/>": "NotSoap",
    RIGHT.replace("schemas.xmlsoap.org", "example.org"): "NotSoap",
    BOMB + RIGHT.replace("Hello", "&l9;"): "DocumentType",
    BOMB + RIGHT.replace("<username>", '<username x="&l9;">'): "DocumentType",
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/evil.dtd">' + RIGHT: "DocumentType",
    '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + RIGHT.replace("Hello", "&f;"): "DocumentType",
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]>' + RIGHT: "DocumentType",
    envelope("<a>" * MOST_DEPTH + "</a>" * MOST_DEPTH): "TooDeep",
    envelope("<a/>" * MOST_ELEMENTS): "TooManyElements",
    envelope(""): "NoSuchOperation",
    envelope(request("SendLove")): "NoSuchOperation",
    envelope(send_sms("85261234567") * 2): "NoSuchOperation",
    RIGHT.replace("<text>Hello</text>", ""): "NotValid",
    RIGHT.replace("</recipients>", "</recipients><flash>1</flash>"): "NotValid",
    RIGHT.replace("85261234567", "<number>85261234567</number>"): "NotValid",
    RIGHT.replace("<recipient>", "852 <recipient>"): "NotValid",
    envelope(send_sms("85261234567", more="<purpose>Fun</purpose>")): "NotValid",
    envelope(send_sms("85261234567", more="<validityMinutes>soon</validityMinutes>")): "NotValid",
    envelope(send_sms("85261234567", more=f"<clientRef>{'x' * 101}</clientRef>")): "NotValid",
    envelope(request("GetBalance", username="x" * 201)): "NotValid",
}


@pytest.fixture(autouse=True)
def florist(database: Connection) -> None:
    make_places()
    make_customer()


def test_each_is_told_apart_and_nothing_is_sent() -> None:
    async def scenario(ask: Ask) -> None:
        for sent, code in MALFORMED.items():
            said = await ask(raw=sent.encode())
            assert (sent[:200], said.code, said.reply.status) == (sent[:200], code, 500)
            assert len(said.words) > 20
        assert not Message.objects.exists()

    with_door(scenario)


def test_a_header_that_must_be_understood_is_refused_by_name() -> None:
    with_header = RIGHT.replace(
        "<e:Body>", '<e:Header><a:Security xmlns:a="urn:a" e:mustUnderstand="1"/></e:Header><e:Body>'
    )

    async def scenario(ask: Ask) -> None:
        said = await ask(raw=with_header.encode())
        assert (said.code, said.tree.findtext(".//faultcode")) == ("MustUnderstand", "soap:MustUnderstand")
        assert "Security" in said.words
        assert (await ask(raw=with_header.replace('mustUnderstand="1"', 'mustUnderstand="0"').encode())).code == ""

    with_door(scenario)


def test_a_fault_speaks_the_clients_version() -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask(request("GetBalance", password="a guess"))
        assert said.reply.headers["content-type"] == "text/xml; charset=utf-8"
        assert said.tree.findtext(".//faultcode") == "soap:Client"
        said = await ask(request("GetBalance", password="a guess"), version=Version.SOAP_1_2)
        assert said.reply.headers["content-type"] == "application/soap+xml; charset=utf-8"
        names = {"e": Version.SOAP_1_2.namespace}
        found = [each.text for each in said.tree.iterfind(".//e:Code//e:Value", names)]
        assert found == ["soap:Sender", "s:BadCredentials"]

    with_door(scenario)


def test_a_request_that_is_too_large_is_refused_before_it_is_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_BODY_OCTETS", MEBI)

    async def scenario(ask: Ask) -> None:
        said = await ask(raw=RIGHT.replace("Hello", "a" * MEBI).encode())
        assert (said.code, "at most 1 MiB" in said.words) == ("TooLarge", True)

    with_door(scenario)


def test_only_so_many_large_requests_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_LARGE_AT_ONCE", 0)

    async def scenario(ask: Ask) -> None:
        said = await ask(raw=RIGHT.replace("Hello", "a" * door.LARGE_OCTETS).encode())
        assert (said.reply.status, said.code, said.reply.headers["retry-after"]) == (429, "Overloaded", "1")
        assert (await ask(raw=RIGHT.encode())).code == ""

    with_door(scenario)


def test_too_many_message_ids_are_refused() -> None:
    ids = "<messageId>100001</messageId>" * (MOST_MESSAGE_IDS + 1)

    async def scenario(ask: Ask) -> None:
        assert (await ask(request("GetStatus", f"<messageIds>{ids}</messageIds>"))).code == "TooManyMessageIds"

    with_door(scenario)


def test_a_bomb_takes_no_memory() -> None:
    bomb = (BOMB + RIGHT.replace("Hello", "&l9;" * 1000)).encode()

    async def scenario(ask: Ask) -> None:
        await ask(raw=b"")
        tracemalloc.start()
        assert (await ask(raw=bomb)).code == "DocumentType"
        _, peak_octets = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak_octets < MEBI

    with_door(scenario)


def test_who_guesses_passwords_is_let_in_no_more() -> None:
    """Spec S125."""
    guess, right = request("GetBalance", password="a guess"), request("GetBalance")

    async def scenario(ask: Ask) -> None:
        for _ in range(MOST_FAILURES):
            assert (await ask(guess, address="8.8.8.8")).code == "BadCredentials"
        Snapshot.forget_all()
        said = await ask(right, address="8.8.8.8")
        assert (said.code, said.reply.status) == ("AddressBlocked", 429)
        assert 0 < int(said.reply.headers["retry-after"]) <= 1800
        assert (await ask(right, address="8.8.4.4")).code == ""

    with_door(scenario)
