"""What is asked at every door, and what must become of it: the same rows, the same charge, the same Reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sampan.accounts.allow_lists import allow
from sampan.accounts.tables import Customer
from sampan.compliance import china_numbers, preferences, words
from sampan.compliance.settings import change_settings
from sampan.compliance.tables import ChinaNumber, Preference, RegisteredNumber
from sampan.composing.alphabet import Coding
from sampan.database import Connection
from sampan.messages.tables import Purpose, Status
from sampan.reasons import Reason
from tests.interfaces.doors import Door, Request
from tests.world import NOW, make_staff

HONG_KONG, ANOTHER, MACAU, CHINA, LONDON, MOSCOW = (
    "85261234567",
    "85291234567",
    "85366123456",
    "8613812345678",
    "447911123456",
    "79123456789",
)
PRICE_PIPS = {HONG_KONG: 2_900, ANOTHER: 2_900, MACAU: 3_400, CHINA: 3_600, LONDON: 3_700}  # of one unit
ECONOMIC_PIPS = 1_800
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0, second=0)
IN_SIX_YEARS = TOMORROW + timedelta(days=6 * 366)
BARRED_WORD = "发票"

# Reasons of one recipient for which a door that takes all or nothing refuses the whole.
SPOIL_THE_WHOLE = frozenset({Reason.NOT_A_MOBILE, Reason.SENDER_NOT_POSSIBLE, Reason.ILLEGAL_WORD})

Before = Callable[[Connection, Customer], None]


@dataclass(frozen=True)
class Row:
    """What becomes of one recipient."""

    recipient: str
    reason: Reason = Reason.NONE
    price_pips: int = 0
    status: Status = Status.UNDELIVERABLE


@dataclass(frozen=True)
class Case:
    """A request and its end: refused as a whole, or these rows."""

    name: str
    request: Request
    rows: tuple[Row, ...] = ()
    refused: Reason | None = None
    before: Before = lambda _conn, _customer: None
    number_of_programs: bool = False  # wrong only where numbers are not read as people write them

    def refusal_at(self, door: Door) -> Reason | None:
        """Why this door refuses the whole; None where it does not."""
        if self.refused is None and len(self.request.recipients) <= door.all_or_nothing_to:
            return next((row.reason for row in self.rows if row.reason in SPOIL_THE_WHOLE), None)
        return self.refused

    def reasons_at(self, door: Door) -> set[Reason]:
        """Those for which this door has to have a word of its own."""
        refusal = self.refusal_at(door)
        return {refusal} if refusal else {row.reason for row in self.rows} & {Reason.NOT_A_MOBILE}

    def is_asked_at(self, door: Door) -> bool:
        """Whether a client of this door can ask that."""
        if self.number_of_programs and door.reads_typed_numbers:
            return False
        is_meant = self.name not in door.otherwise and not self.reasons_at(door) & door.never
        return is_meant and door.can_say(self.request)


def sent(*recipients: str, units: int = 1) -> tuple[Row, ...]:
    """They wait their turn, and what they cost is held."""
    return tuple(Row(each, Reason.NONE, units * PRICE_PIPS[each], Status.UPLOAD_SUCCESS) for each in recipients)


def _listed(_conn: Connection, _harbour: Customer) -> None:
    RegisteredNumber.objects.create(number=int(HONG_KONG), listed_on=date(2020, 1, 1))


def _unsubscribed(conn: Connection, harbour: Customer) -> None:
    way = Preference.Way.LINK
    preferences.unsubscribe(conn, harbour.pk, [int(HONG_KONG)], way=way, at=NOW, evidence="a link", now=NOW)


def _barred_word(_conn: Connection, _harbour: Customer) -> None:
    words.add_words([BARRED_WORD], by=make_staff(), now=NOW, why="a test")


def _refused_in_china(_conn: Connection, _harbour: Customer) -> None:
    china_numbers.list_numbers([CHINA], ChinaNumber.Kind.BLOCK, grounds="complained", by=make_staff(), now=NOW)


def _footers_required(_conn: Connection, _harbour: Customer) -> None:
    change_settings(register_waits=False, footer_refuses=True, why="the law", by=make_staff(), now=NOW)


def _called_from_elsewhere(_conn: Connection, harbour: Customer) -> None:
    allow(harbour.members.get(), "198.51.100.0/24", note="", now=NOW)


def _changed(**changes: object) -> Before:
    def change(_conn: Connection, harbour: Customer) -> None:
        Customer.objects.filter(pk=harbour.pk).update(**changes)

    return change


GOOD = (
    Case("one text to one mobile", Request(), sent(HONG_KONG)),
    Case("Chinese, which takes two units", Request(text="玫瑰已備妥" * 15), sent(HONG_KONG, units=2)),
    Case(
        "many places at once, each at its price",
        Request(recipients=(HONG_KONG, MACAU, CHINA, LONDON)),
        sent(HONG_KONG, MACAU, CHINA, LONDON),
    ),
    Case("a number twice", Request(recipients=(HONG_KONG, ANOTHER, HONG_KONG)), sent(HONG_KONG, ANOTHER)),
    Case(
        "the economic route",
        Request(economic=True, sender=""),
        (Row(HONG_KONG, Reason.NONE, ECONOMIC_PIPS, Status.UPLOAD_SUCCESS),),
    ),
    Case(
        "tomorrow",
        Request(scheduled_at=TOMORROW),
        (Row(HONG_KONG, Reason.NONE, PRICE_PIPS[HONG_KONG], Status.SCHEDULING),),
    ),
    Case("an hour's validity", Request(validity_minutes=60), sent(HONG_KONG)),
    Case("its own reference", Request(client_reference="order 7"), sent(HONG_KONG)),
    Case(
        "a text for each, filled in from its row",
        Request(
            recipients=(HONG_KONG, ANOTHER),
            text="Dear {name}, your roses are ready",
            fields=({"name": "Ada"}, {"name": "玫瑰" * 30}),  # the other takes two units, in Chinese
        ),
        (*sent(HONG_KONG), *sent(ANOTHER, units=2)),
    ),
    Case("the coding said", Request(coding=Coding.UCS2), sent(HONG_KONG)),
)
FILTERED = (
    Case(
        "one of two is no mobile",
        Request(recipients=(HONG_KONG, "85221234567")),
        (*sent(HONG_KONG), Row("85221234567", Reason.NOT_A_MOBILE)),
    ),
    Case(
        "on the do-not-call register, with the filter",
        Request(register_filter=True),
        (Row(HONG_KONG, Reason.DO_NOT_CALL),),
        before=_listed,
    ),
    Case(
        "promotional to who unsubscribed",
        Request(purpose=Purpose.PROMOTIONAL),
        (Row(HONG_KONG, Reason.UNSUBSCRIBED),),
        before=_unsubscribed,
    ),
    Case(
        "a word barred in China",
        Request(text=f"代開{BARRED_WORD}", recipients=(HONG_KONG, CHINA)),
        (*sent(HONG_KONG), Row(CHINA, Reason.ILLEGAL_WORD)),
        before=_barred_word,
    ),
    Case(
        "who complained in China",
        Request(recipients=(CHINA,)),
        (Row(CHINA, Reason.BLOCKED),),
        before=_refused_in_china,
    ),
    Case("where no route goes", Request(recipients=(MOSCOW,)), (Row(MOSCOW, Reason.NO_ROUTE),)),
    Case(
        "a sender ID that cannot be shown there",
        Request(recipients=(HONG_KONG, LONDON), economic=True, sender=""),
        (Row(HONG_KONG, Reason.NONE, ECONOMIC_PIPS, Status.UPLOAD_SUCCESS), Row(LONDON, Reason.SENDER_NOT_POSSIBLE)),
    ),
    Case(
        "to one alone, whose network cannot show the sender ID",
        Request(recipients=(LONDON,), economic=True, sender=""),
        (Row(LONDON, Reason.SENDER_NOT_POSSIBLE),),
    ),
    Case(
        "a word barred in China to one alone",
        Request(text=f"代開{BARRED_WORD}", recipients=(CHINA,)),
        (Row(CHINA, Reason.ILLEGAL_WORD),),
        before=_barred_word,
    ),
    Case(
        "dearer than a single message may be",
        Request(),
        (Row(HONG_KONG, Reason.OVER_MESSAGE_LIMIT),),
        before=_changed(message_limit_pips=2_899),
    ),
    Case(
        "a trial account to another's mobile",
        Request(),
        (Row(HONG_KONG, Reason.TRIAL_RECIPIENT),),
        before=_changed(status=Customer.Status.TRIAL),
    ),
)
REFUSED = (
    Case("a wrong password", Request(secret="a guess"), refused=Reason.BAD_CREDENTIALS),
    Case("nobody's login name", Request(login_name="nobody"), refused=Reason.BAD_CREDENTIALS),
    Case(
        "a suspended account",
        Request(),
        refused=Reason.ACCOUNT_DISABLED,
        before=_changed(status=Customer.Status.SUSPENDED),
    ),
    Case(
        "from an address that is not on the account's list",
        Request(),
        refused=Reason.ADDRESS_NOT_ALLOWED,
        before=_called_from_elsewhere,
    ),
    Case("another's sender ID", Request(sender="Mallory"), refused=Reason.SENDER_NOT_YOURS),
    Case("no mobile", Request(recipients=("85221234567",)), refused=Reason.NOT_A_MOBILE),
    Case("no country code", Request(recipients=("61234567",)), refused=Reason.NOT_A_MOBILE, number_of_programs=True),
    Case("no recipient", Request(recipients=()), refused=Reason.NO_RECIPIENT),
    Case("no text", Request(text=""), refused=Reason.NO_TEXT),
    Case("a text too long", Request(text="a" * 460), refused=Reason.TOO_LONG),
    Case("Chinese forced into English", Request(text="玫瑰", coding=Coding.GSM7), refused=Reason.NOT_IN_ALPHABET),
    Case("a character that no text may have", Request(text="玫\0瑰"), refused=Reason.BAD_TEXT),
    Case(
        "a brace left open",
        Request(text="Dear {name", fields=({"name": "Ada"},)),
        refused=Reason.BAD_TEMPLATE,
    ),
    Case(
        "a field that a row has not",
        Request(text="Dear {name}", fields=({"company": "Lovelace"},)),
        refused=Reason.NO_SUCH_FIELD,
    ),
    Case("in six years", Request(scheduled_at=IN_SIX_YEARS), refused=Reason.TOO_FAR_AHEAD),
    Case("five minutes' validity", Request(validity_minutes=5), refused=Reason.BAD_VALIDITY),
    Case("no such route", Request(route="hk-pigeons"), refused=Reason.NO_ROUTE),
    Case(
        "promotional without the footer it must have",
        Request(economic=True, sender=""),
        refused=Reason.NO_FOOTER,
        before=_footers_required,
    ),
)
CASES = GOOD + FILTERED + REFUSED
