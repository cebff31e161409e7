"""Whom a text may not be sent to: the register, unsubscribes and China's block list, asked for many numbers at once.

One statement answers for all the numbers of many submissions (spec S92–S94, S96). In this order: blocked in China;
unsubscribed; on the do-not-call register without a consent. What was decided is kept with the register's date.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sampan.compliance.settings import strictness
from sampan.compliance.tables import ChinaNumber, Preference
from sampan.compliance.working_days import listed_by
from sampan.database import Connection, array_of, one_line
from sampan.reasons import BY_NUMBER, Reason
from sampan.settings import derived_key

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
HASH_OCTETS = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """The numbers of one submission, and what is asked of them."""

    customer_id: int
    numbers: Sequence[int]
    promotional: bool
    register_filter: bool | None  # as the sender said it (`dncr`); None: where the text is promotional (spec S93)
    has_china: bool

    @property
    def asks_register(self) -> bool:
        """Are these filtered by the do-not-call register?"""
        return self.promotional if self.register_filter is None else self.register_filter

    @property
    def consent_declared(self) -> bool:
        """The sender switched the filter off for a promotional text, and so says there is consent (spec S93)."""
        return self.promotional and self.register_filter is False

    @property
    def needs_asking(self) -> bool:
        """Can any rule apply? A one-time password to Hong Kong costs no question."""
        return self.promotional or self.asks_register or self.has_china


@dataclass(frozen=True, slots=True)
class Screened:
    """Who of the asked is left out and why, by the register of `register_date`."""

    asked: int = 0
    reasons: dict[int, Reason] = field(default_factory=dict)
    register_date: date | None = None
    asked_register: bool = False
    consent_declared: bool = False

    @property
    def is_kept(self) -> bool:
        """Is there anything to prove later?"""
        return self.asked_register or self.consent_declared or bool(self.reasons)


NOTHING = Screened()

# The latest word of a person wins, to whichever account of the business they gave it; said at one moment, the no wins.
SCREEN = one_line(f"""
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(%(places)s::int4[], %(numbers)s::int8[]) AS a (place, number)),
    submissions AS MATERIALIZED (
        SELECT s.place, s.customer_id, s.promotional, s.register, c.registration_number
          FROM unnest(%(customers)s::int8[], %(promotional)s::bool[], %(register)s::bool[])
               WITH ORDINALITY AS s (customer_id, promotional, register, place) JOIN customer c ON c.id = s.customer_id)
    SELECT a.place, a.number,
           CASE WHEN b.number IS NOT NULL THEN {Reason.BLOCKED.number}
                WHEN s.promotional AND p.kind = {Preference.Kind.UNSUBSCRIBED.value} THEN {Reason.UNSUBSCRIBED.number}
                ELSE {Reason.DO_NOT_CALL.number} END
      FROM asked a JOIN submissions s ON s.place = a.place
      LEFT JOIN china_number b ON b.number = a.number AND b.kind = {ChinaNumber.Kind.BLOCK.value}
           AND NOT EXISTS (SELECT FROM china_number w
                            WHERE w.number = a.number AND w.kind = {ChinaNumber.Kind.WHITE.value})
      LEFT JOIN registered_number r ON s.register AND r.number = a.number AND r.listed_on <= %(listed_by)s
      LEFT JOIN LATERAL (
           SELECT p.kind FROM preference p JOIN customer c ON c.id = p.customer_id
            WHERE p.number = a.number AND (s.promotional OR s.register)
              AND (p.customer_id = s.customer_id
                   OR s.registration_number <> '' AND c.registration_number = s.registration_number)
            ORDER BY p.at DESC, p.kind DESC LIMIT 1) p ON true
     WHERE b.number IS NOT NULL
        OR s.promotional AND p.kind = {Preference.Kind.UNSUBSCRIBED.value}
        OR r.number IS NOT NULL AND p.kind IS DISTINCT FROM {Preference.Kind.CONSENT.value}""")


def screen(conn: Connection, submissions: Sequence[Asked], now: datetime) -> list[Screened]:
    """For each submission whom it may not be sent to; one statement for all, none where no rule can apply."""
    wanted = [place for place, asked in enumerate(submissions) if asked.needs_asking]
    if not wanted:
        return [NOTHING] * len(submissions)
    in_force = strictness.get(conn)
    today = now.astimezone(HONG_KONG).date()
    asked = [submissions[place] for place in wanted]
    values = {
        "places": array_of(place for place, each in enumerate(asked, 1) for _ in each.numbers),
        "numbers": array_of(number for each in asked for number in each.numbers),
        "customers": array_of(each.customer_id for each in asked),
        "promotional": [each.promotional for each in asked],
        "register": [each.asks_register for each in asked],
        "listed_by": listed_by(today, waits=in_force.register_waits),
    }
    reasons: list[dict[int, Reason]] = [{} for _ in submissions]
    for place, number, reason in conn.execute(SCREEN, values):
        reasons[wanted[place - 1]][number] = BY_NUMBER[reason]
    return [
        Screened(
            len(each.numbers),
            reasons[place],
            in_force.register_date if each.asks_register else None,
            each.asks_register,
            each.consent_declared,
        )
        for place, each in enumerate(submissions)
    ]


# What was decided


@dataclass(frozen=True, slots=True)
class Decided:
    """The screening of one batch that was accepted, or started."""

    batch_id: int
    customer_id: int
    screened: Screened


KEEP_SCREENINGS = """
    INSERT INTO screening (at, batch_id, customer_id, register_date, consent_declared, asked, filtered)
    SELECT %s, * FROM unnest(%s::int8[], %s::int8[], %s::date[], %s::bool[], %s::int4[], %s::int4[])"""
KEEP_DECISIONS = "COPY filter_decision (at, batch_id, customer_id, rule, number_hash, register_date) FROM STDIN"


def keep(conn: Connection, decided: Sequence[Decided], now: datetime) -> None:
    """Write down what was decided, in the caller's transaction."""
    kept = [each for each in decided if each.screened.is_kept]
    if not kept:
        return
    found = [each.screened for each in kept]
    conn.execute(
        KEEP_SCREENINGS,
        [
            now,
            array_of(each.batch_id for each in kept),
            array_of(each.customer_id for each in kept),
            [screened.register_date for screened in found],
            [screened.consent_declared for screened in found],
            array_of(screened.asked for screened in found),
            array_of(len(screened.reasons) for screened in found),
        ],
    )
    with conn.cursor().copy(KEEP_DECISIONS) as copy:
        for each in kept:
            for number, reason in each.screened.reasons.items():
                values = reason.number, number_hash(number), each.screened.register_date
                copy.write_row((now, each.batch_id, each.customer_id, *values))


def number_hash(number: int) -> bytes:
    """Tells a number to whoever has it and our secret, and to nobody else (spec S130)."""
    return hmac.new(derived_key("filter decisions"), str(number).encode(), hashlib.sha256).digest()[:HASH_OCTETS]
