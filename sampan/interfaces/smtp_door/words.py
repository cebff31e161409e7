"""SMTP's own words: which reply each refusal is (RFC 5321 §4.2, RFC 3463), and how a reply is written."""

from collections.abc import Iterable, Sequence

from sampan.reasons import Reason, Refused

LONGEST_LINE = 480  # of 512 octets (RFC 5321 §4.5.3.1.5), the code and CR LF among them

# 4xx: the same mail may be taken later, so its program keeps it; 5xx: it has to be changed first.
REPLIES: dict[Reason, str] = {
    Reason.UNEXPECTED: "451 4.3.0",
    Reason.OVERLOADED: "451 4.3.2",
    Reason.TOO_MANY_RECIPIENTS: "452 4.5.3",
    Reason.BAD_CREDENTIALS: "535 5.7.8",
    Reason.ADDRESS_NOT_ALLOWED: "550 5.7.1",
    Reason.ACCOUNT_DISABLED: "550 5.2.1",
    Reason.BALANCE_TOO_LOW: "552 5.2.2",
    Reason.SENDER_NOT_YOURS: "550 5.7.1",
    Reason.SENDER_NOT_POSSIBLE: "550 5.7.1",
    Reason.NO_ROUTE: "550 5.1.2",
    Reason.NOT_A_MOBILE: "550 5.1.1",
    Reason.NO_RECIPIENT: "554 5.5.1",
    Reason.NO_TEXT: "554 5.6.0",
    Reason.TOO_LONG: "554 5.6.0",
    Reason.BAD_TEXT: "554 5.6.0",
    Reason.NOT_IN_ALPHABET: "554 5.6.0",
    Reason.ILLEGAL_WORD: "554 5.7.1",
    Reason.NO_FOOTER: "554 5.7.1",
    Reason.BAD_OPTION: "554 5.5.4",
    Reason.BAD_TIME: "554 5.5.4",
    Reason.TOO_FAR_AHEAD: "554 5.5.4",
    Reason.BAD_VALIDITY: "554 5.5.4",
    Reason.REFERENCE_REUSED: "554 5.7.1",
}
OTHERWISE = "554 5.7.1"
PASSING = frozenset(reason for reason, reply in REPLIES.items() if reply.startswith("4"))


def reply(code: str, words: str) -> str:
    """One line of ASCII, whatever a stranger wrote."""
    line = f"{code} {' '.join(words.split())}".translate({0x201C: '"', 0x201D: '"', 0x2019: "'"})
    return line.encode("ascii", "replace").decode()[:LONGEST_LINE]


def reply_to(refused: Refused) -> str:
    """The reply that a refusal is."""
    return reply(REPLIES.get(refused.reason, OTHERWISE), str(refused))


def accepted(message_ids: Iterable[int], left_out: Sequence[int] = ()) -> str:
    """The reply with all SMSD IDs, and the lines of the list that are no mobile numbers."""
    lines = _in_lines("SMSDID:", message_ids) or ["SMSDID:"]
    lines += _in_lines("Left out, no mobile numbers: lines ", left_out)
    return "\r\n".join([*(f"250-2.0.0 {line}" for line in lines[:-1]), f"250 2.0.0 {lines[-1]}"])


def _in_lines(head: str, numbers: Iterable[int]) -> list[str]:
    """The numbers with commas between, in as many lines as they need; none for none."""
    rows: list[str] = []
    for number in numbers:
        if not rows or len(rows[-1]) + len(f",{number}") > LONGEST_LINE - len("250-2.0.0 "):
            rows.append(f"{head}{number}")
        else:
            rows[-1] += f",{number}"
    return rows
