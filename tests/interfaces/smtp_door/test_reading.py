"""What mail programs of all countries write is read as it was meant (spec S122)."""

import base64
import quopri
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.interfaces.smtp_door.charsets import decode
from sampan.interfaces.smtp_door.reading import NotRead, read_body, read_heading
from sampan.interfaces.smtp_door.taking import list_in
from sampan.reasons import Reason, Refused
from tests.interfaces.smtp_door.running import mail, octets_of

CHINESE, HONG_KONG, JAPANESE = "您訂的玫瑰已到店", "嘅花喺度，佢哋冇嚟", "ご注文の薔薇が届きました"

CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "8bit": bytes,
    "base64": base64.encodebytes,
    "quoted-printable": quopri.encodestring,
}


def headed(*lines: str, text: str = "Your roses are ready") -> bytes:
    """A mail with these header lines and a From of the florist's."""
    above = ["From: Orders <orders@harbour.example>", "Message-ID: <1@harbour.example>", *lines]
    return "\r\n".join([*above, "", text, ""]).encode()


def with_body(octets: bytes, content_type: str, coding: str = "8bit") -> bytes:
    heading = f"From: a@b.example\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
    return heading.encode() + octets


@pytest.mark.parametrize(
    ("text", "charset", "codec"),
    [
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "Big5", "big5"),
        (HONG_KONG, "Big5-HKSCS", "big5hkscs"),
        (HONG_KONG, "big5", "big5hkscs"),
        ("您订的玫瑰已到店", "GB2312", "gb2312"),
        ("㐀𠮷：龍鱻", "GB18030", "gb18030"),
        ("朱镕基", "gb2312", "gbk"),
        (JAPANESE, "ISO-2022-JP", "iso2022_jp"),
        (JAPANESE, "Shift_JIS", "cp932"),
        ("장미가 도착했습니다", "ks_c_5601-1987", "cp949"),
        ("“Roses” – €5", "iso-8859-1", "cp1252"),
        ("“Roses” – €5", "windows-1252", "cp1252"),
        ("Розы", "koi8-r", "koi8-r"),
        ("Rosen für Sie", "", "utf-8"),
        ("Rosen für Sie", "us-ascii", "cp1252"),
    ],
)
@pytest.mark.parametrize("coding", CODINGS)
def test_each_charset_in_each_transfer_encoding(text: str, charset: str, codec: str, coding: str) -> None:
    octets = text.encode(codec)
    kind = f'text/plain; charset="{charset}"' if charset else "text/plain"
    assert read_body(with_body(CODINGS[coding](octets), kind, coding)).text == text


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("=?UTF-8?B?5oKo6KiC55qE546r55Gw?=", "您訂的玫瑰"),
        ("=?big5?B?" + base64.b64encode("您訂的玫瑰".encode("big5")).decode() + "?=", "您訂的玫瑰"),
        ("=?GB2312?Q?" + "".join(f"={o:02X}" for o in "玫瑰".encode("gb2312")) + "?= [dncr=0]", "玫瑰 [dncr=0]"),
        ("=?ISO-2022-JP?B?" + base64.b64encode("薔薇".encode("iso2022_jp")).decode() + "?=", "薔薇"),
        ("=?utf-8?Q?Roses_f=C3=BCr?=\r\n =?utf-8?Q?_Sie?=", "Roses für Sie"),
        ("Rosen für Sie", "Rosen für Sie"),
        ("plain", "plain"),
    ],
)
def test_subjects_of_rfc_2047(raw: str, subject: str) -> None:
    assert read_heading(headed(f"Subject: {raw}")).subject == subject


def test_a_subject_that_would_take_long_to_read_is_refused() -> None:
    """Strangers write those, and nobody else is served meanwhile."""
    with pytest.raises(NotRead):
        read_heading(headed("Subject: " + "=?utf-8?Q?a?= " * 1_000))


def test_what_cannot_be_told_is_refused_and_never_guessed() -> None:
    for octets, charset in [
        (b"\xff\xfe\x80", "utf-8"),
        (b"\x81\xff", "big5"),
        (b"a", "x-klingon"),
        (b"a", "base64"),
        (b"a-a", "punycode"),
        (b"a", "IDNA"),
        (b"a", "unicode_escape"),
    ]:
        with pytest.raises(Refused) as refused:
            decode(octets, charset)
        assert refused.value.reason == Reason.BAD_TEXT


def test_plain_text_is_preferred_to_html_and_attachments_are_counted() -> None:
    made = mail("Your roses are ready")
    made.add_alternative("<p>Your <b>roses</b> are ready, in pink</p>", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="roses.pdf")
    made.add_attachment("not the text", filename="notes.txt")
    body = read_body(octets_of(made))
    assert (body.text, body.attachments) == ("Your roses are ready", 2)


def test_a_picture_between_two_texts_keeps_neither_from_being_sent() -> None:
    """Apple's Mail writes a text for each."""
    octets = with_body(
        b"--b\r\nContent-Type: text/plain\r\n\r\nYour roses:\r\n\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-Disposition: inline; filename=roses.png\r\n\r\nPNG\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nThey are ready\r\n"
        b"--b\r\nContent-Type: text/plain; name=notes.txt\r\n\r\nnot the text\r\n--b--\r\n",
        "multipart/mixed; boundary=b",
    )
    body = read_body(octets)
    assert (body.text, body.attachments) == ("Your roses:\nThey are ready", 2)


def test_html_alone_becomes_text_without_its_code() -> None:
    page = (
        "<html><head><style>p {color: red}</style><script>alert(1)</script></head><body><p>Your&nbsp;roses &amp; lilies"
        "<br>are ready</p><!-- secret --><p>玫瑰</p><img src=x onerror=alert(1)></body></html>"
    )
    made = EmailMessage()
    made["From"] = "a@b.example"
    made.set_content(page, subtype="html")
    assert read_body(octets_of(made)).text == "Your roses & lilies\nare ready\n\n玫瑰"


@pytest.mark.parametrize("line", ["-- ", "--"])
def test_what_stands_below_a_signature_is_cut(line: str) -> None:
    """RFC 3676 §4.3; nothing else is."""
    text = f"On the way --\n> quoted\n---\n{line}\nHarbour Florist\nTel 2345 6789\n"
    assert read_body(octets_of(mail(text))).text == "On the way --\n> quoted\n---"


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_control_characters_are_no_text_and_tabs_are_blanks(kind: str) -> None:
    assert read_body(with_body("<b>1</b>\t2\xa03".encode(), f"{kind}; charset=utf-8")).text.endswith("2 3")
    with pytest.raises(Refused) as refused:
        read_body(with_body(b"<b>1</b>\x002\x1b", kind))
    assert refused.value.reason == Reason.BAD_TEXT


def test_lines_that_a_program_broke_are_whole_again() -> None:
    """RFC 3676 §4"""
    flowed = b"Your roses \r\nare ready\r\n From here\r\n-- \r\nFlorist\r\n"
    assert read_body(with_body(flowed, "text/plain; format=flowed")).text == "Your roses are ready\nFrom here"
    chinese = "您訂的 \r\n玫瑰\r\n".encode()
    kind = "text/plain; charset=utf-8; format=flowed; delsp=yes"
    assert read_body(with_body(chinese, kind)).text == "您訂的玫瑰"


def test_a_mail_in_a_mail_is_an_attachment() -> None:
    made = mail("See below")
    made.add_attachment(mail("The inner text"))
    body = read_body(octets_of(made))
    assert (body.text, body.attachments) == ("See below", 1)


@pytest.mark.parametrize(
    ("text", "numbers", "rest"),
    [
        ("To: 9123 4567, 6123 4567\n\nReady", [85291234567, 85261234567], "Ready"),
        ("to: +853 6612 0034\n收件人：91234567\n\nReady\n\nTo: you", [85366120034, 85291234567], "Ready\n\nTo: you"),
        ("To: 9123 4567,\n6123 4567\n\nReady", [85291234567, 85261234567], "Ready"),
        ("To: 9123 4567", [85291234567], ""),
        ("Ready\nTo: 91234567", [], "Ready\nTo: 91234567"),
    ],
)
def test_numbers_in_the_first_lines(text: str, numbers: list[int], rest: str) -> None:
    found, bad, below = list_in(text)
    assert (found, bad, below) == (numbers, [], rest)


def test_bad_numbers_of_a_list_are_told_with_their_line() -> None:
    _found, bad, _below = list_in("To: 9123 4567\nTo: 9123 456, 2345 6789\n\nReady")
    assert [(row, flaw.value.strip()) for row, flaw in bad] == [(2, "9123 456"), (2, "2345 6789")]


@pytest.mark.parametrize(
    "value",
    [
        "a@b.example, c@d.example",
        '"a@b.example" <x@y.example> <c@d.example>',
        "Orders <a@b.example>x",
        "orders",
        "",
        "<@b.example>",
        "a@b@c.example",
        "a@" + "b" * 300 + ".example",
    ],
)
def test_a_from_that_could_be_read_in_two_ways_is_not_read(value: str) -> None:
    with pytest.raises(NotRead):
        read_heading(f"From: {value}\r\nMessage-ID: <1@b>\r\n\r\n".encode())


@pytest.mark.parametrize("name", ["From: a@b.example", "Message-ID: <2@b>", "Subject: b", "To: x@y", "Date: now"])
def test_a_header_that_stands_twice_hides_nothing(name: str) -> None:
    with pytest.raises(NotRead, match="more than one"):
        read_heading(headed("Subject: a", "To: b@c", "Date: now", name))


def test_a_mail_is_known_by_its_message_id_else_by_its_date_and_all_it_says() -> None:
    assert read_heading(headed()).name == "<1@harbour.example>"
    nameless = b"From: a@b.example\r\nDate: Mon, 23 Nov 2026 10:00:00 +0800\r\n\r\nReady\r\n"
    assert read_heading(nameless).name == read_heading(nameless).name
    assert read_heading(nameless).name != read_heading(nameless.replace(b"10:00:00", b"10:00:01")).name
    with pytest.raises(NotRead, match="Message-ID"):
        read_heading(b"From: a@b.example\r\n\r\nReady\r\n")


@pytest.mark.parametrize(
    ("line", "answer", "automatic"),
    [
        ("Auto-Submitted: no", False, False),
        ("Auto-Submitted: auto-generated", False, True),
        ("Auto-Submitted: auto-replied (vacation)", True, True),
        ("X-Autoreply: yes", True, False),
        ("Content-Type: multipart/report; boundary=x", True, False),
        ("X-Sampan-Answer: yes", True, False),
        ("Precedence: bulk", False, True),
        ("List-Id: <florists.example>", False, True),
        ("List-Unsubscribe: <mailto:x@y>", False, True),
        ("X-Auto-Response-Suppress: All", False, True),
        ("Subject: auto-replied", False, False),
    ],
)
def test_what_programs_write_is_told_by_its_headers(line: str, answer: bool, automatic: bool) -> None:
    """RFC 3834"""
    heading = read_heading(headed(line))
    assert (heading.is_answer, heading.is_automatic) == (answer, automatic)


@pytest.mark.parametrize("charset", ["utf\0", "\0", "utf-8\0\0", "\xff"])
def test_a_charset_that_is_no_name_is_refused(charset: str) -> None:
    """Found by fuzzing."""
    with pytest.raises(Refused) as refused:
        read_body(with_body(b"\xff\xfe", f"text/plain; charset={charset}"))
    assert refused.value.reason == Reason.BAD_TEXT


def test_mails_nested_without_end_are_refused() -> None:
    parts = "".join(f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(2_000))
    nested = f"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n{parts}".encode()
    with pytest.raises(NotRead):
        read_body(nested)


@given(st.binary(max_size=2_000))
def test_garbage_is_read_or_refused_and_nothing_else(octets: bytes) -> None:
    for read, given_octets in ((read_heading, octets), (read_heading, headed() + octets), (read_body, octets)):
        try:
            read(given_octets)
        except (NotRead, Refused):
            continue


@given(st.binary(max_size=300), st.sampled_from(["text/plain", "text/html", "multipart/mixed; boundary=a", "a"]))
def test_garbage_below_good_headers_too(octets: bytes, kind: str) -> None:
    for coding in ("base64", "quoted-printable", "x-uuencode", "7bit"):
        try:
            read_body(with_body(octets, kind, coding))
        except (NotRead, Refused):
            continue
