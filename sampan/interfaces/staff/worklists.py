"""What waits for staff: one line a kind of work, with how much there is and since when. Parts add theirs here."""

from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sampan.accounts import blocking
from sampan.accounts.acts import Act, may
from sampan.accounts.applications import WAITING_APPROVALS
from sampan.accounts.tables import Person
from sampan.billing import entries, top_ups
from sampan.compliance import signatures
from sampan.database import Connection
from sampan.dispatch import doubts, pulse
from sampan.inbound import unmatched
from sampan.messages import daily_check, platform
from sampan.messages.cases import desk
from sampan.messages.content_refusals import noting
from sampan.messages.reports import waiting


class Worklist(NamedTuple):
    """One kind of work: its page's name, its words, what to do about it, who does it, and how much there is.

    `waiting` is SQL that gives one row: how many, and since when the oldest waits (null where none does). It may name
    %(now)s, and must be quick: every page of the console asks it.
    """

    page: str
    words: Promise
    about: Promise
    acts: tuple[Act, ...]
    waiting: str


class Waiting(NamedTuple):
    """A kind of work with how many things wait, and since when."""

    worklist: Worklist
    things: int
    oldest_at: datetime | None


WORKLISTS: tuple[Worklist, ...] = (
    Worklist(
        "staff:top-ups",
        _("Top-ups"),
        _("Customers say they paid; look for it"),
        (Act.CREDIT_TOP_UP,),
        top_ups.WAITING_TOP_UPS,
    ),
    Worklist(
        "staff:entries",
        _("Entries of money"),
        _("They need a second person; nobody confirms their own"),
        (Act.DECIDE_MONEY,),
        entries.WAITING_ENTRIES,
    ),
    Worklist(
        "staff:books",
        _("The books do not balance"),
        _("Since the last daily check: find out why before anything else"),
        (Act.SEE_MONEY,),
        daily_check.OFF_TODAY,
    ),
    Worklist(
        "staff:platform",
        _("Our own account runs low"),
        _("It pays for codes and tests: enter a bonus, or nobody can sign up"),
        (Act.GIVE_BONUS,),
        platform.WAITING,
    ),
    Worklist(
        "staff:approvals",
        _("Approvals"),
        _("Registrations and sender IDs: approve them, or send them back with words"),
        (Act.APPROVE_CUSTOMER, Act.GRANT_SENDER),
        WAITING_APPROVALS,
    ),
    Worklist(
        "staff:operators",
        _("Links that are not bound"),
        _("Of operators that are not paused"),
        (Act.RUN_OPERATOR, Act.CHANGE_OPERATOR),
        pulse.TROUBLED,
    ),
    Worklist(
        "staff:schedules",
        _("Schedules that came due late"),
        _("Held until the customer or you release them"),
        (Act.DELETE_SCHEDULE, Act.RELEASE_SCHEDULE),
        waiting.HELD_WAITING,
    ),
    Worklist(
        "staff:cases",
        _("Support cases"),
        _("Customers ask what became of a message"),
        (Act.ANSWER_CASE,),
        desk.WAITING,
    ),
    Worklist(
        "staff:blocked",
        _("Blocked addresses"),
        _("They guess passwords; let in those who are known"),
        (Act.UNBLOCK_ADDRESS,),
        blocking.WAITING,
    ),
    Worklist(
        "staff:unknown",
        _("Unknown outcomes"),
        _("Ask the operator; they end by themselves a day after their validity"),
        (Act.SETTLE_UNKNOWN,),
        doubts.DOUBTS_WAITING,
    ),
    Worklist(
        "staff:unmatched",
        _("Unmatched replies"),
        _("They found no customer; say whose they are, or dismiss them"),
        (Act.MATCH_REPLY,),
        unmatched.WAITING,
    ),
    Worklist(
        "staff:strays",
        _("Unmatched receipts"),
        _("Bring them to their messages, or dismiss them"),
        (Act.ATTACH_RECEIPT,),
        doubts.STRAYS_WAITING,
    ),
    Worklist(
        "staff:content-refusals",
        _("Refused by operators"),
        _("For their content: is a word missing in our library?"),
        (Act.SEE_TO_CONTENT,),
        noting.WAITING,
    ),
    Worklist(
        "staff:signatures",
        _("China signatures"),
        _("Approve them, or send them back with words"),
        (Act.DECIDE_SIGNATURE,),
        signatures.WAITING,
    ),
)


def waiting_for(person: Person, conn: Connection, now: datetime) -> list[Waiting]:
    """What this person's role has to do with, in the order of WORKLISTS; also where nothing waits."""
    theirs = [worklist for worklist in WORKLISTS if any(may(person, act) for act in worklist.acts)]
    if not theirs:
        return []
    union = " UNION ALL ".join(f"SELECT {n}, w.* FROM ({each.waiting}) w" for n, each in enumerate(theirs))
    rows = {place: (count, oldest) for place, count, oldest in conn.execute(union, {"now": now})}
    return [Waiting(worklist, *rows[n]) for n, worklist in enumerate(theirs)]
