"""A mail's octets → what it says: who wrote it, what names it, its subject and its text. Pure.

Nothing here is believed yet: whether From tells the truth is asked elsewhere (authentic.py).
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError, InvalidBase64LengthDefect
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime

import html_text

from sampan.interfaces.smtp_door.charsets import decode
from sampan.reasons import Reason, Refused

MOST_MULTIPARTS = 50  # one in another: the parser goes down with each
MOST_HEADING_OCTETS = 256 * 1024
MOST_HTML_CHARACTERS = 1_000_000
LONGEST_ADDRESS = 254  # RFC 5321 §4.5.3.1.3
LONGEST_MESSAGE_ID = 400
LONGEST_SUBJECT = 10_000  # as it came; to decode one takes time with the square of its words
OWN_HEADER = "X-Sampan-Answer"  # on each answer of ours: one that comes back is a loop

ONCE = ("from", "to", "cc", "subject", "date", "message-id")  # RFC 5322 §3.6: two of one would hide each other
SIGNATURE = re.compile(r"(?m)^-- ?$.*", re.DOTALL)  # RFC 3676 §4.3; many programs drop the space
BLANKS = {0xA0: " ", 0x09: " ", 0xFEFF: ""}  # no-break space, tab, byte order mark
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]")
_BOUNDARY = re.compile(rb"boundary[ \t]*=", re.IGNORECASE)
_ADDRESS = r"[^\s<>@,;:\"()\\\[\]]+@[^\s<>@,;:\"()\\\[\]]+"
_FROM = re.compile(rf"\s*(?:[^<>]*<({_ADDRESS})>|({_ADDRESS}))\s*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+>")
_TAG = re.compile(r"<[A-Za-z!/]")


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above a mail's text."""

    sender: str  # the address in From, in small letters
    name: str  # what a repeat of the mail repeats: its Message-ID
    message_id: str  # "" where it has none
    date: datetime | None
    subject: str
    is_answer: bool  # to another mail, by a program: it is neither sent nor answered (RFC 3834)
    is_automatic: bool  # written by a program: it is sent, and not answered


@dataclass(frozen=True)
class Body:
    """What stands below it."""

    text: str  # line feeds between lines; without what stands below "-- "
    attachments: int  # that are not sent


class NotRead(Exception):
    """A mail that cannot be read; the argument says why, for a programmer."""


def read_heading(octets: bytes) -> Heading:
    """The heading. Raises NotRead, and Refused(BAD_TEXT) where the subject's characters cannot be told."""
    above = octets.partition(b"\r\n\r\n")[0]
    if len(above) > MOST_HEADING_OCTETS:
        raise NotRead(f"Its headers are longer than {MOST_HEADING_OCTETS} octets")
    headers = _headers(BytesHeaderParser().parsebytes(above))
    sender = _FROM.fullmatch(headers.get("from", ""))
    address = (sender[1] or sender[2]).lower() if sender else ""
    if not 0 < len(address) <= LONGEST_ADDRESS:
        raise NotRead("It needs one From, with one address")
    return Heading(
        sender=address,
        name=_name(headers, octets),
        message_id=_message_id(headers),
        date=_date(headers.get("date", "")),
        subject=_subject(headers.get("subject", "")),
        is_answer=_is_answer(headers),
        is_automatic=_is_automatic(headers),
    )


def read_body(octets: bytes) -> Body:
    """The text, from text/plain where there is any, else from HTML; and how many attachments there are.

    Raises NotRead, and Refused(BAD_TEXT) where its characters cannot be told.
    """
    if len(_BOUNDARY.findall(octets)) > MOST_MULTIPARTS:
        raise NotRead("It has too many parts in one another")
    plain: list[str] = []
    html: list[str] = []
    attachments = 0
    for part in _leaves(message_from_bytes(octets)):
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or _is_file(part):
            attachments += 1
        elif kind == "text/plain":
            plain.append(_plain(part))
        else:
            html.append(_characters(part))
    return Body(_whole(plain) or _whole([_of_html(each) for each in html]), attachments)


def _is_file(part: "Message[str, str]") -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _whole(texts: Sequence[str]) -> str:
    """Mail programs that put a picture into a text write what stands above and below it as texts of their own."""
    return "\n".join(text for text in texts if text)


def _headers(message: "Message[str, str]") -> dict[str, str]:
    """Name in small letters → raw value, in one line."""
    found: dict[str, str] = {}
    for name, value in message.raw_items():
        key = name.lower()
        if key in found and key in ONCE:
            raise NotRead(f"It has more than one {name}")
        found.setdefault(key, " ".join(str(value).split("\n")).replace("\r", ""))
    return found


def _name(headers: dict[str, str], octets: bytes) -> str:
    """By what a repeat is known: its Message-ID; where it has none, its Date and all else it says."""
    message_id = _message_id(headers)
    if len(message_id) > LONGEST_MESSAGE_ID:
        raise NotRead(f"Its Message-ID is longer than {LONGEST_MESSAGE_ID} characters")
    if message_id:
        return message_id
    if _date(headers.get("date", "")) is None:
        raise NotRead("Give it a Message-ID or a Date: a repeat of it could not be told from a new one")
    return f"sha256:{hashlib.sha256(octets).hexdigest()}"


def _message_id(headers: dict[str, str]) -> str:
    found = _MESSAGE_ID.search(headers.get("message-id", ""))
    return found[0] if found else ""


def _date(raw: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(raw)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _subject(raw: str) -> str:
    """The subject, decoded (RFC 2047); 8-bit characters that stand there raw are UTF-8 or Windows'."""
    if len(raw) > LONGEST_SUBJECT:
        raise NotRead(f"Its Subject is longer than {LONGEST_SUBJECT} octets")
    if any("\ud800" <= character <= "\udfff" for character in raw):
        raw = decode(raw.encode("ascii", "surrogateescape"), "")
    try:
        pieces = decode_header(raw)
    except HeaderParseError:
        return raw.strip()
    decoded = [piece if isinstance(piece, str) else decode(piece, charset or "") for piece, charset in pieces]
    return " ".join("".join(decoded).split())


def _is_answer(headers: dict[str, str]) -> bool:
    submitted = headers.get("auto-submitted", "no").lower()
    return (
        OWN_HEADER.lower() in headers
        or submitted.startswith("auto-replied")
        or headers.get("content-type", "").lower().startswith("multipart/report")
        or "x-autoreply" in headers
        or "x-autorespond" in headers
    )


def _is_automatic(headers: dict[str, str]) -> bool:
    """RFC 3834 §2, and what those before it did."""
    return (
        headers.get("auto-submitted", "no").split(";")[0].strip().lower() != "no"
        or headers.get("precedence", "").strip().lower() in ("bulk", "junk", "list")
        or any(name.startswith("list-") for name in headers)
        or "x-auto-response-suppress" in headers
    )


def _leaves(message: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """The parts that have no parts; a mail that is attached is one."""
    waiting: list[Message[str, str]] = [message]
    while waiting:
        part = waiting.pop(0)
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            waiting = [each for each in part.get_payload() if isinstance(each, Message)] + waiting
        else:
            yield part


def _characters(part: "Message[str, str]") -> str:
    try:
        octets = part.get_payload(decode=True)
    except ValueError:  # a charset with a NUL in its name
        octets = None
    if not isinstance(octets, bytes) or any(isinstance(defect, InvalidBase64LengthDefect) for defect in part.defects):
        raise Refused(Reason.BAD_TEXT, "text", str(part.get("content-transfer-encoding", ""))[:20])
    charset = part.get_param("charset", "")
    return decode(octets, charset[2] if isinstance(charset, tuple) else str(charset or ""))


def _plain(part: "Message[str, str]") -> str:
    lines = _characters(part).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if str(part.get_param("format", "")).lower() == "flowed":
        lines = _unflowed(lines, drop_space=str(part.get_param("delsp", "")).lower() == "yes")
    return _tidied("\n".join(lines))


def _unflowed(lines: list[str], *, drop_space: bool) -> list[str]:
    """Lines that a mail program broke are whole again (RFC 3676 §4)."""
    whole: list[str] = []
    flows = False
    for line in lines:
        line = line.removeprefix(" ")
        is_signature = line == "-- "
        if flows and not is_signature:
            whole[-1] += line
        else:
            whole.append(line)
        flows = line.endswith(" ") and not is_signature
        if flows and drop_space:
            whole[-1] = whole[-1][:-1]
    return whole


def _of_html(html: str) -> str:
    if len(html) > MOST_HTML_CHARACTERS:
        raise NotRead("Its HTML is too long. Send it as plain text")
    return _tidied(html_text.extract_text(html)) if _TAG.search(html) else _tidied(html)


def _tidied(text: str) -> str:
    """Without the signature, empty lines around, and blanks at ends; others' kinds of blank are blanks."""
    if control := _CONTROL.search(text):
        raise Refused(Reason.BAD_TEXT, "text", f"U+{ord(control[0]):04X}")
    text = SIGNATURE.sub("", text.translate(BLANKS))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
