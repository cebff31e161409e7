"""The pages' words for money: kinds of transfers, ways to pay, states; and the refusals of what people enter."""

from django.conf import settings
from django.template import Library
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from sampan.billing.money import PIPS_PER_DOLLAR, in_pips, pips_of
from sampan.billing.statement import Line
from sampan.billing.tables import Account, StaffEntry, TopUp, Transfer
from sampan.interfaces.tags import MINUS, looking
from sampan.interfaces.words import StatusLook, Words
from sampan.reasons import Reason, Refused

TRANSFERS: dict[Transfer.Kind, Words] = {
    Transfer.Kind.HOLD: _("Held for messages"),
    Transfer.Kind.CHARGE: _("Messages"),
    Transfer.Kind.RELEASE: _("Released: not handed over"),
    Transfer.Kind.TOP_UP: _("Top-up"),
    Transfer.Kind.TRIAL: _("Trial credit"),
    Transfer.Kind.BONUS: _("Bonus"),
    Transfer.Kind.SERVICE: _("Service"),
    Transfer.Kind.REFUND: _("Refund"),
    Transfer.Kind.REVERSAL: _("Top-up taken back"),
    Transfer.Kind.BONUS_REVERSAL: _("Bonus taken back"),
    Transfer.Kind.DEBT: _("Debt"),
    Transfer.Kind.REPAYMENT: _("Debt paid"),
    Transfer.Kind.SENT: _("Sent to"),
    Transfer.Kind.RECEIVED: _("Received from"),
    Transfer.Kind.OWN: _("The platform’s own"),
}

ACCOUNTS: dict[int, Words] = {
    Account.Kind.AVAILABLE: _("Available"),
    Account.Kind.HELD: _("Held"),
    Account.Kind.CHARGED: _("Charged"),
    Account.Kind.PAID: _("Paid"),
    Account.Kind.TRIAL: _("Trial credit"),
    Account.Kind.BONUS: _("Bonus"),
    Account.Kind.DEBT: _("Debt"),
    Account.Kind.MOVED: _("Moved within the group"),
}

WAYS: dict[str, Words] = {
    TopUp.Way.FPS: _("FPS"),
    TopUp.Way.BANK: _("Bank transfer"),
    TopUp.Way.CHEQUE: _("Cheque"),
    TopUp.Way.CARD: _("Card"),
}

TOP_UPS: dict[int, StatusLook] = {
    TopUp.State.FILED: StatusLook("processing", pgettext_lazy("top-up", "With finance"), "processing"),
    TopUp.State.CREDITED: StatusLook("delivered", pgettext_lazy("top-up", "Credited"), "delivered"),
    TopUp.State.REFUSED: StatusLook("undeliverable", pgettext_lazy("top-up", "Not found"), "undeliverable"),
    TopUp.State.REVERSED: StatusLook("undeliverable", pgettext_lazy("top-up", "Taken back"), "undeliverable"),
}

ENTRIES: dict[int, Words] = {
    StaffEntry.Kind.TOP_UP: _("Top-up"),
    StaffEntry.Kind.BONUS: _("Bonus"),
    StaffEntry.Kind.SERVICE: _("Service charge"),
    StaffEntry.Kind.REFUND: _("Refund"),
    StaffEntry.Kind.REVERSAL: _("Top-up taken back"),
    StaffEntry.Kind.MOVE: _("Move between accounts"),
}

ENTRY_STATES: dict[int, StatusLook] = {
    StaffEntry.State.WAITING: StatusLook("processing", pgettext_lazy("entry", "Needs a second person"), "processing"),
    StaffEntry.State.DONE: StatusLook("delivered", pgettext_lazy("entry", "Done"), "delivered"),
    StaffEntry.State.REFUSED: StatusLook("undeliverable", pgettext_lazy("entry", "Refused"), "undeliverable"),
}

# What stands against what somebody entered, and how to mend it; {value} is the amount or the limit.
REFUSALS: dict[Reason, Words] = {
    Reason.NOT_AN_AMOUNT: _("Not an amount of HK$. Write it as 1,000 or 0.2875."),
    Reason.AMOUNT_TOO_SMALL: _("Too small. It begins at HK${value}."),
    Reason.AMOUNT_TOO_LARGE: _("Too large. It ends at HK${value}."),
    Reason.BALANCE_TOO_LOW: _("More than there is. HK${value} is available."),
    Reason.MORE_THAN_PAID: _("Trial credit and bonuses stay here. At most HK${value} can be taken out."),
    Reason.DECIDED_ALREADY: _("Somebody was quicker and has decided this. Look at it again."),
    Reason.SECOND_PERSON_NEEDED: _("You entered it, so somebody else confirms it."),
    Reason.NOT_OF_ONE_GROUP: _("These two accounts are not a primary and its sub account. Choose others."),
    Reason.CANNOT_BE_LINKED: _("{value} has a primary or sub accounts already. Unlink those first."),
    Reason.NOT_A_DOCUMENT: _("This is no PDF, JPEG or PNG file. Add the receipt as one of them."),
    Reason.DOCUMENT_TOO_LARGE: _("This file is larger than {value}. Add a smaller one."),
    Reason.TIERS_DISORDERED: _("A higher tier begins at a larger top-up than the one before it."),
    Reason.NO_TOP_UP: _("There is no such top-up."),
    Reason.NO_REFERENCE: _("There is no payment reference. Copy it from the bank’s receipt."),
    Reason.NO_GROUNDS: _("There is no reason. Say why."),
    Reason.ACCOUNT_DISABLED: _("One of the accounts is suspended or closed. Call us."),
}

register = Library()


def words_of_money(refused: Refused) -> str:
    """What stands against what was entered, and how to mend it."""
    return str(REFUSALS[refused.reason]).replace("{value}", refused.value)


def amount_of(text: str) -> int:
    """The pips that somebody typed, with or without HK$. Raises Refused(NOT_AN_AMOUNT)."""
    try:
        return pips_of(text.strip().upper().removeprefix("HK").removeprefix("$"))
    except ValueError as error:
        raise Refused(Reason.NOT_AN_AMOUNT, "amount", text) from error


def transfer_kind(kind: Transfer.Kind, note: str, transfers: int = 1) -> str:
    """What a movement is called in a list or file, with its note."""
    if kind == Transfer.Kind.CHARGE:
        return ngettext("Messages, one charge", "Messages, %(count)s charges", transfers) % {"count": f"{transfers:,}"}
    return f"{TRANSFERS[kind]} {note}".strip() if kind in WITH_NOTE else str(TRANSFERS[kind])


# Notes that are the customer's own words or names; those of the rest are staff's, or ours in English.
WITH_NOTE = frozenset(
    {
        Transfer.Kind.TOP_UP,
        Transfer.Kind.SERVICE,
        Transfer.Kind.BONUS,
        Transfer.Kind.REFUND,
        Transfer.Kind.REVERSAL,
        Transfer.Kind.SENT,
        Transfer.Kind.RECEIVED,
    }
)


@register.filter
def movement(line: Line) -> str:
    """What a line of a statement is about."""
    return transfer_kind(line.kind, line.note, line.transfers)


@register.filter
def transfer_words(kind: int) -> Words:
    """What a transfer is."""
    return TRANSFERS[Transfer.Kind(kind)]


@register.filter
def signed(pips: int) -> str:
    """+3,000.0000 or −95.7000."""
    return f"{'+' if pips > 0 else MINUS if pips < 0 else ''}{in_pips(abs(pips))}"


@register.filter
def way_words(way: str) -> Words:
    """How a top-up was paid."""
    return WAYS[way]


@register.simple_tag
def top_up_state(top_up: TopUp) -> SafeString:
    """Where a top-up is."""
    return looking(TOP_UPS[top_up.state])


@register.filter
def entry_words(kind: int) -> Words:
    """What staff entered."""
    return ENTRIES[kind]


@register.simple_tag
def entry_state(entry: StaffEntry) -> SafeString:
    """Whether it was done."""
    return looking(ENTRY_STATES[entry.state])


@register.simple_tag
def second_person_above() -> str:
    """From which amount on a second person confirms."""
    return in_pips(settings.SECOND_PERSON_ABOVE_DOLLARS * PIPS_PER_DOLLAR).removesuffix(".0000")


@register.simple_tag
def ways_to_pay() -> list[tuple[str, Words | Promise, str]]:
    """Each way, its words, and where to pay to by it; nothing where the installation says nothing."""
    return [(way, words, settings.PAYMENT_DETAILS.get(way, "")) for way, words in WAYS.items()]
