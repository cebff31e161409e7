"""What fuzzing begins with: PDUs as others wrote them, receipts, queries, numbers and files, for each target."""

from collections.abc import Iterable
from urllib.parse import urlencode

from sampan.interfaces.soap.contract import SAMPAN
from sampan.smpp.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    Body,
    DeliverSm,
    EnquireLink,
    GenericNack,
    SubmitSmResp,
    Unbind,
    encode,
)
from sampan.smpp.receipt import read_text, write_tlvs
from tests.fuzz.mail_seeds import MAILS
from tests.fuzz.sessions import BOUND, CLIENT, SUBMITS
from tests.routing.test_numbers import READ_AS_ONE_NUMBER, REFUSED
from tests.smpp.peers import NAME, PASSWORD, message
from tests.smpp.test_foreign_bytes import ALL as FOREIGN
from tests.smpp.test_receipt import USUAL

RECEIPTS = (
    USUAL,
    "STAT:undeliv  ERR:0b1  ID: 77 Text:",
    "id:1 done date:261122153000 DELIVRD err:000 Text:",
    "id:1 done date:20261122153000",
    "id:1 done date:261122233000032+",
    "id:1, stat:REJECTED, text:id:2 stat:UNDELIV\0",
)
FILES = (
    "Name,Mobile\r\nChan,91234567\r\nWong,9876 5432\r\n",
    "a;b\n1,5;2,5\n",
    "sep=;\na,b;c\n",
    '"Chan, ""Tai"" Man",91234567\n"two\nlines",1\nInch 5",2\n',
    "91234567,98765432,61234567",
    "a\tb\n1\t2\n\n3\t4\n",
    "<html><table><tr><td colspan=2>Name<td>Mobile<tr><th>Chan<br>Tai<td>&lt;91234567</table>",
    "陳大文,91234567\n海港花店,61234567\n",
)
QUERY = {
    "username": "harbour",
    "password": "a long way home",
    "content": "Hello",
    "langeng": "1",
    "recipient": "85261234567",
    "dos": "now",
    "senderid": "HarbourFlo",
}
TEXTS = (
    b"Hello \x1beuro \x1b(x\x1b)",
    bytes(range(128)),
    b"1234567",
    b"12345678\r",
    b"\x1b\x1b",
    "你好".encode("utf-16-be"),
)
DELIVERY = DeliverSm(source_addr="85261234567", destination_addr=NAME, esm_class=4, short_message=USUAL.encode())
TO_A_SERVER: tuple[Body, ...] = (BindTransceiver(NAME, PASSWORD), message(), EnquireLink(), Unbind())
TO_A_CLIENT: tuple[Body, ...] = (
    BindTransceiverResp("SMSC"),
    *[SubmitSmResp(str(number)) for number in range(SUBMITS)],
    DELIVERY,
    DELIVERY._replace(tlvs=write_tlvs(read_text(USUAL))),
    EnquireLink(),
    GenericNack(),
)


def _pdus() -> list[bytes]:
    return [*map(bytes.fromhex, FOREIGN.values()), *_numbered(TO_A_SERVER), *_numbered(TO_A_CLIENT)]


def _numbered(bodies: Iterable[Body], first: int = 1) -> list[bytes]:
    return [encode(body, number) for number, body in enumerate(bodies, first)]


def _sessions() -> list[bytes]:
    foreign = b"".join(map(bytes.fromhex, FOREIGN.values()))
    streams = (
        (0, _numbered(TO_A_SERVER)),
        (BOUND, _numbered(TO_A_SERVER[1:], 2)),
        (CLIENT, _numbered(TO_A_CLIENT)),
        (CLIENT | BOUND, _numbered(TO_A_CLIENT[1:], 2)),
    )
    found = [bytes((how, 255)) + b"".join(frames) for how, frames in streams]
    return [*found, bytes((BOUND, 7)) + foreign, bytes((CLIENT | BOUND, 100)) + foreign]


def _queries() -> list[bytes]:
    changes: tuple[dict[str, str], ...] = (
        {},
        {"langeng": "0", "content": "你好".encode("utf-16-be").hex()},
        {"dos": "2026-12-24 18:30", "senderid": "RANDOMID"},
        {"recipient": "85261234567,+8613812345678", "dncr": "0", "purpose": "promotional", "client_ref": "order-7"},
    )
    return [urlencode(QUERY | change).encode() for change in changes]


def _envelopes() -> list[bytes]:
    who = "<username>harbour</username><password>a long way home</password>"
    said = (
        "<dncr>1</dncr><scheduledAt>2026-12-24T18:30:00+08:00</scheduledAt><validityMinutes>60</validityMinutes>"
        "<coding>Unicode</coding><clientRef>order-7</clientRef>"
    )
    numbers = "<recipient>85261234567</recipient> <recipient>+8613812345678</recipient>"
    requests = (
        ("SendSms", f"<recipients>{numbers}</recipients><text>你好</text><sender>HarbourFlo</sender>{said}"),
        ("GetStatus", "<messageIds><messageId>100001</messageId><messageId>x</messageId></messageIds>"),
        ("CancelScheduled", "<batchId>10001</batchId><evenIfLate>true</evenIfLate>"),
        ("GetReplies", "<afterId>7</afterId><most>10</most>"),
    )
    versions = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
    whole = [
        f'<e:Envelope xmlns:e="{version}"><e:Header/><e:Body><{name} xmlns="{SAMPAN}">{who}{inner}</{name}></e:Body>'
        "</e:Envelope>"
        for version in versions
        for name, inner in requests
    ]
    bomb = f'<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]>{whole[0].replace("你好", "&c;")}'
    coded = [each.encode() for each in (*whole, bomb)] + [whole[0].encode("utf-16")]
    return [bytes((size,)) + each for size in (7, 255) for each in coded]


def _numbers() -> list[bytes]:
    typed = [str(number) for number, *_ in (*READ_AS_ONE_NUMBER, *REFUSED)]
    return [*(number.encode() for number in typed), "\n".join(typed[:20]).encode()]


def _files() -> list[bytes]:
    charsets = ("utf-8", "utf-8-sig", "utf-16", "big5hkscs", "gb18030")
    return [text.encode(charset) for text in FILES for charset in (charsets if not text.isascii() else charsets[:1])]


SEEDS: dict[str, list[bytes]] = {
    "pdu": _pdus(),
    "framer": [bytes((size,)) + b"".join(_pdus()) for size in (1, 17, 255)],
    "sessions": _sessions(),
    "receipt": [bytes((0, 4, tlvs)) + text.encode() for text in RECEIPTS for tlvs in (0, 1)],
    "gsm": list(TEXTS),
    "parameters": _queries(),
    "soap": _envelopes(),
    "mail": [each.encode() for each in MAILS],
    "numbers": _numbers(),
    "upload": _files(),
}
