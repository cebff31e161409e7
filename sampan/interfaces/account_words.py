"""The pages' words for what accounts refuse (see words.py)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sampan.accounts.tables import Customer, SenderRequest
from sampan.reasons import Reason

ACCOUNT_REFUSALS: dict[Reason, str | Promise] = {
    Reason.NOT_A_DOCUMENT: _("This is no PDF, JPEG or PNG file. Scan or photograph the paper and add that."),
    Reason.DOCUMENT_TOO_LARGE: _("This file is larger than {value}. Add a smaller one."),
    Reason.LOGIN_NAME_TAKEN: _("The login name “{value}” is in use. Choose another."),
    Reason.CODE_WRONG: _("This is not the code. Look at the latest text and type its 6 digits."),
    Reason.CODE_EXPIRED: _("This code counts no more. Ask for a new one."),
    Reason.CODE_TOO_SOON: _("A code was sent less than 2 minutes ago. Wait until {value}."),
    Reason.TOO_MANY_CODES: _("No more codes go there today. Try again tomorrow, or call us."),
    Reason.NOT_WAITING: _("Somebody has decided this already. Look at it again."),
    Reason.WORDS_MISSING: _("There are no words for the customer. Say what is missing or why."),
    Reason.WRONG_STATUS: _("The account is not in that state. Look at it again."),
    Reason.NOT_CLOSED: _("Only the data of a closed account are erased. Close it first."),
    Reason.UNSUBSCRIBES_COME: _("A promotional text of the last {value} days can still be unsubscribed from. Wait."),
    Reason.INVITATION_VOID: _("This invitation counts no more. Ask for a new one."),
    Reason.LAST_OWNER: _("An account needs an owner. Make somebody else owner first."),
    Reason.MEMBER_THERE: _("“{value}” is a member or invited already. Change that one."),
    Reason.TOO_MANY_MEMBERS: _("An account has at most {value} members. Remove one first."),
    Reason.SENDER_MALFORMED: _("“{value}” cannot be one. Use 1 to 11 letters and digits with a letter, or a mobile."),
    Reason.TOO_MANY_SENDERS: _("An account has at most 5 sender IDs. Ask us to withdraw one first."),
    Reason.SENDER_REGISTERED_ONLY: _("A sender ID with # is one that OFCA has registered. Ask with its letter."),
    Reason.SENDER_WAITS: _("“{value}” is asked for already, or in use. Wait for the answer."),
    Reason.TOO_MANY_KEYS: _("An account has at most {value} keys. Revoke one first."),
    Reason.NOT_FOR_TESTS: _("A test key does not do that ({value}). Untick it."),
    Reason.KEY_ENDS_BEFORE: _("The key would count no more when it is made. Choose a day to come."),
    Reason.ADDRESS_NOT_ALLOWED: _("The account may not be called from {value}. Add it to the account’s networks."),
    Reason.BAD_LOGIN_NAME: _("Not possible. Use 3 to 20 letters, digits, dots or hyphens, a letter first."),
    Reason.OWN_ROLE: _("Nobody changes their own role. Ask another administrator."),
    Reason.NO_MAIL_ADDRESS: _("“{value}” has no mail address. Let them in anew under another login name."),
    Reason.NOT_A_NETWORK: _("“{value}” is no network. Write it as 203.0.113.7 or 203.0.113.0/24."),
    Reason.TOO_MANY_NETWORKS: _("An account has at most {value} networks. Remove one first."),
    Reason.MAIL_ADDRESS_TAKEN: _("{value} is registered already. Remove it there first."),
    Reason.TOO_MANY_MAIL_ADDRESSES: _("An account has at most {value} mail addresses. Remove one first."),
    Reason.PLATFORM_CANNOT_SEND: _("The text cannot be sent now. Try again later, or call us."),
}

# A customer's status: the icon `is-SHAPE`, which is also its colour's class, and the word.
STATES: dict[Customer.Status, tuple[str, str | Promise]] = {
    Customer.Status.TRIAL: ("processing", _("On trial")),
    Customer.Status.NORMAL: ("on", _("Approved")),
    Customer.Status.SUSPENDED: ("warn", _("Suspended")),
    Customer.Status.CLOSED: ("off", _("Closed")),
}

STATE_ACTS: dict[str, str | Promise] = {
    "suspend": _("Suspend the account"),
    "reopen": _("Reopen the account"),
    "close": _("Close the account for good"),
}

GROUNDS: dict[str, str | Promise] = {
    SenderRequest.Grounds.REGISTRATION: _("Name on the business registration"),
    SenderRequest.Grounds.TRADE_MARK: _("Trade mark"),
    SenderRequest.Grounds.OFCA: _("OFCA’s register; begins with #"),
    SenderRequest.Grounds.OWN_NUMBER: _("Own mobile number, by a code"),
}
