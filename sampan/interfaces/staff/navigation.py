"""The console's menu. A part of the console adds its line here, its work to worklists.py, its addresses to urls.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sampan.accounts.acts import Act, may
from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.interfaces.staff.worklists import Waiting, waiting_for


class Line(NamedTuple):
    """One page in the menu: its address' name, its words, its icon, and the acts it is for (none: all staff)."""

    page: str
    words: Promise
    icon: str
    acts: tuple[Act, ...] = ()


class Group(NamedTuple):
    """Lines under one heading."""

    heading: Promise | str
    lines: Sequence[Line]


GROUPS = (
    Group(
        "",
        (
            Line("staff:worklist", _("Worklist"), "results"),
            Line("staff:approvals", _("Approvals"), "tick", (Act.APPROVE_CUSTOMER, Act.GRANT_SENDER)),
            Line("staff:customers", _("Customers"), "people", (Act.SEE_CUSTOMERS,)),
            Line("staff:top-ups", _("Top-ups"), "money", (Act.CREDIT_TOP_UP,)),
            Line("staff:entries", _("Entries of money"), "money", (Act.DECIDE_MONEY,)),
            Line("staff:cases", _("Support cases"), "inbox", (Act.ANSWER_CASE,)),
            Line("staff:unknown", _("Unknown outcomes"), "info", (Act.SETTLE_UNKNOWN,)),
            Line("staff:strays", _("Unmatched receipts"), "reply", (Act.ATTACH_RECEIPT,)),
            Line("staff:unmatched", _("Unmatched replies"), "inbox", (Act.MATCH_REPLY,)),
            Line("staff:schedules", _("Late schedules"), "clock", (Act.DELETE_SCHEDULE, Act.RELEASE_SCHEDULE)),
            Line("staff:blocked", _("Blocked addresses"), "lock", (Act.UNBLOCK_ADDRESS,)),
            Line("staff:operators", _("Operators, links"), "pulse", (Act.RUN_OPERATOR, Act.CHANGE_OPERATOR)),
        ),
    ),
    Group(
        _("Rules"),
        (
            Line("staff:routes", _("Routes and destinations"), "link", (Act.CHANGE_ROUTES,)),
            Line("staff:numbers", _("Rented numbers"), "reply", (Act.SET_UP_NUMBER, Act.RENT_NUMBER)),
            Line("staff:reply-settings", _("Words that unsubscribe"), "stop", (Act.SET_REPLIES,)),
            Line("staff:register", _("Do-not-call register"), "shield", (Act.IMPORT_REGISTER, Act.SET_COMPLIANCE)),
            Line("staff:content-refusals", _("Refused by operators"), "warning", (Act.SEE_TO_CONTENT,)),
            Line("staff:words", _("Words barred in China"), "warning", (Act.CHANGE_WORDS,)),
            Line("staff:china-numbers", _("Numbers in China"), "phone", (Act.LIST_CHINA_NUMBER,)),
            Line("staff:signatures", _("China signatures"), "compose", (Act.DECIDE_SIGNATURE,)),
        ),
    ),
    Group(
        _("Books"),
        (
            Line("staff:prices", _("Price list"), "file", (Act.CHANGE_PRICES,)),
            Line("staff:books", _("Daily check"), "tick", (Act.SEE_MONEY,)),
            Line("staff:audit", _("Audit log"), "eye", (Act.READ_AUDIT,)),
            Line("staff:people", _("Our people"), "people", (Act.ADD_STAFF,)),
            Line("staff:roles", _("Roles"), "key"),
        ),
    ),
)


class Menu(NamedTuple):
    """The menu as one person sees it, and what waits for them."""

    groups: list[Group]
    work: list[Waiting]

    @property
    def waiting(self) -> int:
        """How many things."""
        return sum(each.things for each in self.work)

    @property
    def counts(self) -> dict[str, int]:
        """How many by page."""
        return {each.worklist.page: each.things for each in self.work if each.things}


def menu(person: Person, conn: Connection, now: datetime) -> Menu:
    """What this person's role has to do with."""
    groups = [
        Group(group.heading, lines)
        for group in GROUPS
        if (lines := [line for line in group.lines if not line.acts or any(may(person, act) for act in line.acts)])
    ]
    return Menu(groups, waiting_for(person, conn, now))
