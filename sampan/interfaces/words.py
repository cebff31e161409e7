"""The pages' words for statuses, reasons and refusals, marked for translation; the parts below know no languages.

An error has two halves: what is wrong with this value, and how to mend it.
"""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sampan.accounts.tables import Person
from sampan.interfaces.account_words import ACCOUNT_REFUSALS
from sampan.interfaces.address_book_words import ADDRESS_BOOK_REFUSALS
from sampan.interfaces.compliance_words import COMPLIANCE_REFUSALS
from sampan.interfaces.reply_words import REPLY_REFUSALS
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Purpose, Recurrence, Source
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import Flaw

Words = str | Promise


class StatusLook(NamedTuple):
    """A status is a shape, a word and a colour: the icon `is-SHAPE`, the word, and the class."""

    shape: str
    word: Words
    colour: str


STATUSES = {
    Shown.DELIVERED: StatusLook("delivered", pgettext_lazy("status", "Delivered"), "delivered"),
    Shown.SENT: StatusLook("sent", pgettext_lazy("status", "Sent; no receipt"), "sent"),
    Shown.PROCESSING: StatusLook("processing", pgettext_lazy("status", "Processing"), "processing"),
    Shown.RETRY: StatusLook("retry", pgettext_lazy("status", "Retry"), "retry"),
    Shown.UNKNOWN: StatusLook("unknown", pgettext_lazy("status", "Outcome unknown"), "unknown"),
    Shown.WAITING: StatusLook("scheduling", pgettext_lazy("status", "Waiting"), "upload-success"),
    Shown.SCHEDULING: StatusLook("scheduling", pgettext_lazy("status", "Scheduling"), "scheduling"),
    Shown.EXPIRED: StatusLook("expired", pgettext_lazy("status", "Expired"), "expired"),
    Shown.UNDELIVERABLE: StatusLook("undeliverable", pgettext_lazy("status", "Undeliverable"), "undeliverable"),
    Shown.FILTERED: StatusLook("filtered", pgettext_lazy("status", "Filtered, free"), "filtered"),
    Shown.UPLOAD_FAILED: StatusLook("undeliverable", pgettext_lazy("status", "Upload failed"), "upload-failed"),
}

# Where a batch as a whole is.
BATCH_STATES = {
    "scheduled": StatusLook("scheduling", pgettext_lazy("batch", "Scheduled"), "scheduling"),
    "sending": StatusLook("processing", pgettext_lazy("batch", "Sending"), "processing"),
    "receipts": StatusLook("processing", pgettext_lazy("batch", "Handed over; waiting for receipts"), "processing"),
    "paused": StatusLook("paused", pgettext_lazy("batch", "Paused"), "paused"),
    "quiet": StatusLook("paused", pgettext_lazy("batch", "Paused until quiet hours end"), "paused"),
    "held": StatusLook("paused", pgettext_lazy("batch", "Held: it came due too late"), "paused"),
    "held-suspended": StatusLook("paused", pgettext_lazy("batch", "Held: the account was suspended"), "paused"),
    "cancelled": StatusLook("filtered", pgettext_lazy("batch", "Cancelled"), "filtered"),
    "ended": StatusLook("delivered", pgettext_lazy("batch", "Ended"), "delivered"),
}

# Why a message ended, or where it is (spec S72).
REASONS: dict[Reason, Words] = {
    Reason.NONE: "",
    Reason.NO_RECEIPT: _("The operator gave no receipt"),
    Reason.NOT_A_MOBILE: _("Not a mobile number"),
    Reason.NO_FOOTER: _("A promotional text without its sender, contact and way to unsubscribe"),
    Reason.UNKNOWN_SUBSCRIBER: _("The number does not exist or is deactivated"),
    Reason.PHONE_UNREACHABLE: _("Phone off, bad reception or forwarded"),
    Reason.INBOX_FULL: _("The phone’s inbox is full"),
    Reason.NETWORK_UNSUPPORTED: _("The local network does not support it"),
    Reason.DO_NOT_CALL: _("On the do-not-call register"),
    Reason.BALANCE_TOO_LOW: _("The balance was too low"),
    Reason.ILLEGAL_WORD: _("A word that may not be sent to China"),
    Reason.BLOCKED: _("Refused by the recipient or their operator"),
    Reason.OPERATOR_FAULT: _("The operator’s fault"),
    Reason.OVER_MESSAGE_LIMIT: _("Over the charge limit for a single message"),
    Reason.CANCELLED: _("Cancelled before it was sent"),
    Reason.PROCESSING: _("With the operator"),
    Reason.OUTCOME_UNKNOWN: _("Handed over without an answer"),
    Reason.ROUTE_WITHOUT_RECEIPTS: _("This route gives no receipt"),
    Reason.NO_ROUTE: _("No route goes there"),
    Reason.SENDER_NOT_POSSIBLE: _("This sender ID cannot be used there"),
    Reason.UNSUBSCRIBED: _("Unsubscribed from you"),
    Reason.SENDER_WITHDRAWN: _("The sender ID was withdrawn"),
    Reason.TRIAL_RECIPIENT: _("A trial account sends only to its own mobile"),
    Reason.NOT_SENT_IN_TIME: _("Not sent in time"),
}

# What members may do about messages that a rule leaves out.
MEANINGS: dict[Reason, Words] = {
    Reason.DO_NOT_CALL: _("They asked not to be sent promotional texts"),
    Reason.ILLEGAL_WORD: _("Change the text, or leave these numbers out"),
    Reason.BLOCKED: _("They complained, or their operator blocks such texts"),
    Reason.OVER_MESSAGE_LIMIT: _("Shorten the text, or ask us to raise the limit"),
    Reason.NO_ROUTE: _("We do not send to this country yet"),
    Reason.SENDER_NOT_POSSIBLE: _("Choose one of your sender IDs"),
    Reason.UNSUBSCRIBED: _("They asked you to stop"),
    Reason.TRIAL_RECIPIENT: _("Until we have approved the account"),
}

# What stands against a draft, a file or a number as a whole; {value} is the limit or the offending value.
REFUSALS: dict[Reason, Words] = (
    ACCOUNT_REFUSALS
    | ADDRESS_BOOK_REFUSALS
    | COMPLIANCE_REFUSALS
    | REPLY_REFUSALS
    | {
        Reason.NOT_TAKEN_YET: _("No operator has this message, so there is nothing to ask. Its page says why."),
        Reason.CASE_OPEN_ALREADY: _("A case is open about this message already. Write there."),
        Reason.WEBHOOK_URL: _(
            "This is no URL that can be called. Write it as https://example.com/sms, with port 80, 443 or above 1023."
        ),
        Reason.WEBHOOK_NOT_PUBLIC: _("{value} is no public address. Use one that can be reached from the internet."),
        Reason.WEBHOOK_NOT_TLS: _("Signed webhooks go by https only. Begin the URL with https://."),
        Reason.WEBHOOK_EVENTS: _(
            "No event is chosen, or one that this form does not have ({value}). Choose from the list."
        ),
        Reason.TOO_MANY_WEBHOOKS: _("A customer has at most {value} webhooks. Remove one first."),
        Reason.NO_SUCH_WEBHOOK: _("There is no such webhook or delivery. Look at the list again."),
        Reason.WEBHOOK_OFF: _("This webhook is switched off. Switch it on first."),
        Reason.WEBHOOK_TESTS_WAIT: _("{value} tests wait to be delivered. See what became of them first."),
        Reason.TOO_MUCH_TO_REPLAY: _("At most {value} deliveries are replayed at once. Choose a shorter time."),
        Reason.NO_SUCH_CASE: _("The case is closed, or marked already. Look at it again."),
        Reason.OWNERS_ONLY: _("Only the account’s owner decides this. Ask the owner."),
        Reason.NO_CHOICE: _("Nothing was chosen. Choose one."),
        Reason.ACCOUNT_DISABLED: _("The account is suspended or closed. Call us to open it again."),
        Reason.TOO_FAR_AHEAD: _("More than 5 years ahead. Choose an earlier date."),
        Reason.NO_TEXT: _("There is no text. Type one."),
        Reason.TOO_LONG: _("Too long ({value}). Shorten the text."),
        Reason.BAD_TEXT: _("A character that cannot be sent ({value}). Remove it."),
        Reason.BAD_TEMPLATE: _(
            "A brace is neither a field nor text ({value}). Write {name} for a field, {{ or }} for a brace."
        ),
        Reason.NO_SUCH_FIELD: _(
            "A field has no value ({value}). Fill it in in the file, or write {name|Customer} for rows without one."
        ),
        Reason.SENDER_NOT_YOURS: _("This sender ID is not one of yours any more. Choose another."),
        Reason.NO_ROUTE: _("There is no such route any more. Choose another."),
        Reason.SENDER_NOT_POSSIBLE: _("This sender ID cannot be used there. Choose another."),
        Reason.BAD_TIME: _("“{value}” is no time. Write it as 2026-12-01 09:00."),
        Reason.BAD_OPTION: _(
            "“{value}” is no option. Those are sender, route, at, purpose, dncr and validity, once each."
        ),
        Reason.REFERENCE_REUSED: _("This reference was used before with other content. Use a new one."),
        Reason.NO_RECIPIENT: _("There is no mobile number yet. Add at least one."),
        Reason.TOO_MANY_RECIPIENTS: _("Too many numbers ({value}). Split them in two batches."),
        Reason.BAD_VALIDITY: _("Not between 10 and 1,380 minutes. Choose another."),
        Reason.FILE_TOO_LARGE: _("This file is larger than {value}. Split it in two and add both."),
        Reason.FILE_TOO_MANY_ROWS: _("This file has more than {value} rows. Split it in two and add both."),
        Reason.FILE_TOO_MANY_COLUMNS: _("This file has more than {value} columns. Keep those you need."),
        Reason.NOT_A_SPREADSHEET: _("This is no Excel, CSV or text file. Save it as .xlsx and add that."),
        Reason.FILE_LOCKED: _("This file has a password. Save it without one and add that."),
        Reason.FILE_DAMAGED: _("This file is damaged. Save it once more as .xlsx and add that."),
        Reason.FILE_UNREADABLE: _(
            "This file could not be read. Copy the numbers to a new sheet, save it and add that."
        ),
        Reason.FILE_EMPTY: _("There is nothing in this file. Choose another."),
        Reason.NO_SUCH_SHEET: _("This file has no sheet “{value}”. Choose one of its sheets."),
        Reason.FILE_QUOTE_OPEN: _("A quotation mark in row {value} is not closed. Close or remove it."),
        Reason.BALANCE_TOO_LOW: _("The balance is too low: it would cost HK${value}. Top up, or shorten the text."),
        Reason.NO_SUCH_BATCH: _("There is no such batch any more. Look in Delivery results."),
        Reason.BATCH_NOT_RUNNING: _("It does not run any more. Only a running batch can be paused."),
        Reason.BATCH_NOT_PAUSED: _("It is not paused any more. Look at it again."),
        Reason.BATCH_NOT_HELD: _("It is not held any more. Somebody else released or deleted it."),
        Reason.BATCH_CANCELLED: _("It was cancelled already. Nothing more of it goes out."),
        Reason.BATCH_NOT_SCHEDULED: _("It does not wait for its time any more. It has started, or was deleted."),
        Reason.BATCH_DUE_SOON: _("It is due within the hour. It is too late to change or delete it."),
        Reason.NOTHING_TO_RESEND: _("No message of it ended for these reasons, or they were sent again. Tick others."),
        Reason.OVERLOADED: _("Too many files are being read. Try again in a minute."),
    }
)

SOURCES: dict[Source, Words] = {
    Source.PORTAL: _("Portal"),
    Source.HTTP: _("HTTP API"),
    Source.JSON: _("JSON API"),
    Source.SOAP: _("SOAP"),
    Source.SMTP: _("Email"),
    Source.SMPP: _("SMPP"),
    Source.TEST: _("Test of the JSON API: sent to nobody, free"),
    Source.REPLY: _("Answers to replies"),
}

PURPOSES: dict[Purpose, Words] = {
    Purpose.TRANSACTIONAL: _("Transactional"),
    Purpose.PROMOTIONAL: _("Promotional"),
}

# How often a batch recurs.
EVERY: dict[str, Words] = {
    Recurrence.Every.DAY: _("Every day"),
    Recurrence.Every.WEEK: _("Every week"),
    Recurrence.Every.MONTH: _("Every month"),
}

ROLES: dict[str, Words] = {
    Person.Role.OWNER: _("owner"),
    Person.Role.SENDER: _("sender"),
    Person.Role.VIEWER: _("viewer"),
    Person.Role.FINANCE: _("finance"),
}

STAFF_ROLES: dict[str, Words] = {
    Person.StaffRole.SUPPORT: _("support"),
    Person.StaffRole.COMPLIANCE: _("compliance"),
    Person.StaffRole.FINANCE: _("finance"),
    Person.StaffRole.ADMIN: _("administrator"),
}

# Where an operator or a link of it is.
OPERATOR_STATES = {
    "up": StatusLook("on", pgettext_lazy("operator", "Working"), "on"),
    "down": StatusLook("off", pgettext_lazy("operator", "Down"), "off"),
    "paused": StatusLook("paused", pgettext_lazy("operator", "Paused"), "paused"),
    "draining": StatusLook("warn", pgettext_lazy("operator", "Draining"), "warn"),
}
LINK_STATES = {
    True: StatusLook("on", pgettext_lazy("link", "Bound"), "on"),
    False: StatusLook("off", pgettext_lazy("link", "Not bound"), "off"),
}

# The words of routing.numbers.Fault, whose texts stand there.
FAULTS = frozenset(
    {
        gettext_noop("Not a number."),
        gettext_noop("No number in this row."),
        gettext_noop("More than a number. Keep only the number."),
        gettext_noop("Two numbers in one place. Give each a row of its own."),
        gettext_noop("Spreadsheet rounded it. Store the column as text."),
        gettext_noop("{digits} digits. A Hong Kong number has 8."),
        gettext_noop("{digits} digits. A Macau number has 8."),
        gettext_noop("{digits} digits. A mainland China mobile has 11."),
        gettext_noop("{digits} digits. No number has more than 15. Give each a row of its own."),
        gettext_noop("Fixed line. Only mobiles can receive SMS."),
        gettext_noop("Service number. Only mobiles can receive SMS."),
        gettext_noop("No Hong Kong mobile begins like this. Check the first digits."),
        gettext_noop("Macau fixed line. Mobiles begin with 6."),
        gettext_noop("Mainland China mobiles begin with 13 to 19. Check the digits after 86."),
        gettext_noop("Mainland China or North America? Write +86 or +1 before it."),
        gettext_noop("Begins with 0. Write the country code instead of the 0."),
        gettext_noop("No country code. Write 852 before a Hong Kong number."),
        gettext_noop("No country has this code. Check the first digits."),
        gettext_noop("No such number in its country. Check the digits."),
        gettext_noop("Other characters than digits. Write country code and number, digits only."),
    }
)


def words_of_flaw(flaw: Flaw) -> str:
    """What is wrong with one number, and how to mend it."""
    return gettext(flaw.fault.value).format(digits=flaw.digits)


def words_of_refusal(refused: Refused) -> str:
    """What stands against a draft as a whole, and how to mend it."""
    return str(REFUSALS[refused.reason]).replace("{value}", refused.value)
