"""Every refusal and failure: its number, what customers are shown, and its words (spec S72, http_api.md).

A `Reason` is either the end of a message (it is stored beside its status and has a `shown` code of S72) or the
refusal of a whole request (each door has one table from Reason to its own words), and some are both.
"""

from enum import Enum


class Reason(Enum):
    """`number` is stored (never reuse one), `shown` is the code of S72 or None, `words` say how to mend it."""

    def __init__(self, number: int, shown: int | None, words: str) -> None:
        self.number = number
        self.shown = shown
        self.words = words

    # The ends of messages (S72); the codes customers know are their own numbers.
    NONE = 300, 300, "None"
    NO_RECEIPT = 301, 301, "The operator gave no receipt"
    NOT_A_MOBILE = 302, 302, "Not a mobile number"
    UNKNOWN_SUBSCRIBER = 303, 303, "The number does not exist or is deactivated"
    PHONE_UNREACHABLE = 304, 304, "Phone off, bad reception, or forwarded"
    INBOX_FULL = 305, 305, "The phone's inbox is full"
    NETWORK_UNSUPPORTED = 306, 306, "The local network does not support it"
    DO_NOT_CALL = 307, 307, "On the do-not-call register"
    BALANCE_TOO_LOW = 308, 308, "The balance is too low. Top up and send again"
    ILLEGAL_WORD = 309, 309, "The text has a word that may not be sent to China. Change the text"
    BLOCKED = 312, 312, "Blocked: arrears, spam, or refused by the recipient"
    OPERATOR_FAULT = 315, 315, "The operator's fault"
    OVER_MESSAGE_LIMIT = 326, 326, "Over the charge limit for a single message. Shorten the text or raise the limit"
    # Ours inside are finer, each shown as one of those.
    CANCELLED = 3001, 300, "Cancelled before it was sent"
    PROCESSING = 3010, 301, "With the operator; no receipt yet"
    OUTCOME_UNKNOWN = 3011, 301, "Handed over without an answer; the outcome is not known yet"
    ROUTE_WITHOUT_RECEIPTS = 3012, 301, "Sent; this route gives no receipt"
    NO_ROUTE = 3061, 306, "No route goes there"
    SENDER_NOT_POSSIBLE = 3062, 306, "This sender ID cannot be used there"
    UNSUBSCRIBED = 3121, 312, "The recipient unsubscribed from this sender"
    SENDER_WITHDRAWN = 3122, 312, "The sender ID was withdrawn"
    TRIAL_RECIPIENT = 3123, 312, "Until the account is approved it sends only to its own verified mobile"
    NO_FOOTER = 3124, 312, "A promotional text names its sender, how to reach it and how to unsubscribe"
    NOT_SENT_IN_TIME = 3151, 315, "Not sent in time"
    # Refusals of a whole request; nothing was sent or charged.
    UNEXPECTED = 1, None, "Unexpected system error. Try again; nothing is sent twice if you repeat the client reference"
    BAD_CREDENTIALS = 2, None, "The user name and password do not match"
    ACCOUNT_DISABLED = 3, None, "The account is suspended or closed. Call us"
    TOO_FAR_AHEAD = 5, None, "More than 5 years ahead. Choose an earlier time"
    NO_TEXT = 60, None, "There is no text. Type one"
    TOO_LONG = 61, None, "Too long. Shorten the text"
    SENDER_NOT_YOURS = 8, None, "This sender ID is not one of yours. Choose one of your sender IDs"
    SENDER_MALFORMED = (
        80,
        None,
        "A sender ID has 1 to 11 letters or digits with at least one letter, or is a mobile number",
    )
    TOO_MANY_SENDERS = 81, None, "A customer has at most 5 sender IDs. Withdraw one first"
    UNKNOWN_MESSAGE = 9, None, "There is no such message"
    REFERENCE_REUSED = 24, None, "This client reference was used before with other content. Use a new one"
    NOT_IN_ALPHABET = 41, None, "The text has characters that English (GSM) SMS cannot carry. Send it as Unicode"
    BAD_TEXT = 42, None, "The text cannot be read"
    NO_RECIPIENT = 43, None, "There is no recipient. Give at least one number"
    TOO_MANY_RECIPIENTS = 44, None, "Too many recipients in one request. Split it"
    BAD_TIME = 45, None, "The time cannot be read"
    BAD_VALIDITY = 46, None, "The validity is 10 to 1,380 minutes"
    BAD_TEMPLATE = 47, None, "A brace is neither a field nor text. Write {name} for a field, {{ or }} for a brace"
    NO_SUCH_FIELD = (
        48,
        None,
        "A field of the text has no value. Give it one, or write {name|Customer} for those without",
    )
    BAD_OPTION = 49, None, "{value} is no option. Those are sender, route, at, purpose, dncr and validity, once each"
    # Files that cannot be read; `{value}` in words is the limit or the place.
    FILE_TOO_LARGE = 70, None, "This file is larger than {value}. Split it in two and add both"
    FILE_TOO_MANY_ROWS = 71, None, "This file has more than {value} rows. Split it in two and add both"
    FILE_TOO_MANY_COLUMNS = 72, None, "This file has more than {value} columns. Keep those you need"
    NOT_A_SPREADSHEET = 73, None, "This is no Excel, CSV or text file. Save it as .xlsx and add that"
    FILE_LOCKED = 74, None, "This file has a password. Save it without one and add that"
    FILE_DAMAGED = 75, None, "This file is damaged. Save it once more as .xlsx and add that"
    FILE_UNREADABLE = 76, None, "This file could not be read. Copy the numbers to a new sheet, save it and add that"
    FILE_EMPTY = 77, None, "There is nothing in this sheet. Choose another sheet or file"
    NO_SUCH_SHEET = 78, None, "This file has no sheet {value}. Choose one of its sheets"
    FILE_QUOTE_OPEN = 79, None, "A quotation mark in row {value} is not closed. Close or remove it"
    NO_SUCH_BATCH = 90, None, "There is no such batch"
    BATCH_NOT_RUNNING = 91, None, "The batch does not run, so it cannot be paused"
    BATCH_NOT_PAUSED = 92, None, "The batch is not paused"
    BATCH_NOT_HELD = 93, None, "The batch is not held"
    BATCH_CANCELLED = 94, None, "The batch is cancelled already"
    BATCH_NOT_SCHEDULED = 95, None, "The batch does not wait for its time any more, so it cannot be changed or deleted"
    BATCH_DUE_SOON = 96, None, "The batch is due within the hour, so it cannot be changed or deleted. Stop it instead"
    NOTHING_TO_RESEND = 97, None, "No message of this batch ended for these reasons. Tick others"
    # Money that people enter; `{value}` in words is an amount or a limit.
    NOT_AN_AMOUNT = 100, None, "{value} is no amount of HK$. Write it as 1,000 or 0.2875"
    AMOUNT_TOO_SMALL = 101, None, "The amount is too small. It begins at HK${value}"
    AMOUNT_TOO_LARGE = 102, None, "The amount is too large. It ends at HK${value}"
    MORE_THAN_PAID = 103, None, "Trial credit and bonuses cannot be taken out. At most HK${value} can"
    DECIDED_ALREADY = 104, None, "Somebody has decided this already. Look at it again"
    SECOND_PERSON_NEEDED = 105, None, "Who entered it cannot confirm it. Ask somebody else of finance"
    NOT_OF_ONE_GROUP = 106, None, "The two accounts are not a primary and its sub account"
    CANNOT_BE_LINKED = 107, None, "A sub account has one primary and no sub accounts. Unlink {value} first"
    NO_TOP_UP = 110, None, "There is no such top-up"
    NO_REFERENCE = 111, None, "There is no payment reference. Copy it from the bank's receipt"
    TIERS_DISORDERED = 108, None, "A higher tier begins at a larger top-up than the one before it; the first is tier 1"
    NO_GROUNDS = 112, None, "There is no reason. Say why"
    # What may not be sent, and what must be said.
    REGISTER_EMPTY = 121, None, "There is no Hong Kong number in the first column of this file. Choose another"
    REGISTER_UNREADABLE = 122, None, "Row {value} cannot be read. Save the file as CSV in UTF-8 and import it again"
    REGISTER_SHRINKS = 123, None, "The register would lose more than half ({value}). Say that this is meant"
    NO_EVIDENCE = 124, None, "There is no evidence. Say how it is known"
    NOT_YET = 125, None, "This time has not come yet. Choose one that has passed"
    BAD_WAY = 126, None, "Not a way in which people say that. Choose one of the list"
    SIGNATURE_MALFORMED = 127, None, "A signature has 2 to 6 characters and no brackets. Choose another"
    SIGNATURE_TAKEN = 128, None, "Another customer has this signature. Choose another"
    SIGNATURE_WAITS = 129, None, "A request is being looked at already. Wait for the answer"
    NO_SUCH_SIGNATURE = 130, None, "There is no such signature"
    WORD_EMPTY = 131, None, "“{value}” has no letter or digit, or is too long. Write a word"
    NOT_IN_CHINA = 132, None, "“{value}” is no mobile number of mainland China. Write it as 8613812345678"
    BAD_LINK = 133, None, "This link does not work. Open it again from the message"
    TOO_MANY_WORDS = 134, None, "Too many words at once ({value}). Split the file"
    # What staff decide.
    NOT_IN_DOUBT = 150, None, "The outcome of this message is not unknown (any more). Look at it again"
    STILL_ON_ITS_WAY = 151, None, "A part of this message is still on its way. Wait until it is answered"
    NO_SUCH_RECEIPT = 152, None, "This receipt has found its message meanwhile"
    NOTHING_OPEN_THERE = 153, None, "This message waits for no receipt of that operator. Choose another"
    NO_CHOICE = 154, None, "Nothing was chosen. Choose one"
    BAD_DIALECT = 155, None, "This dialect cannot be: {value}"
    BAD_LINK_SETTING = 156, None, "SMPP does not allow this: {value}"
    LAST_LINK = 157, None, "An operator keeps at least one link. Pause the operator instead"
    PREFIX_TAKEN = 158, None, "One of these prefixes is of “{value}” already. Take it out there first"
    NAME_TAKEN = 159, None, "There is one of this name already. Choose another"
    # Accounts, and how people prove who they are.
    NOT_A_DOCUMENT = 160, None, "This is no PDF, JPEG or PNG file. Scan or photograph the paper and add that"
    DOCUMENT_TOO_LARGE = 161, None, "This file is larger than {value}. Add a smaller one"
    LOGIN_NAME_TAKEN = 162, None, "The login name {value} is in use. Choose another"
    CODE_WRONG = 163, None, "This is not the code. Look at the latest text and type its 6 digits"
    CODE_EXPIRED = 164, None, "This code counts no more. Ask for a new one"
    CODE_TOO_SOON = 165, None, "A code was sent less than 2 minutes ago. Wait until {value}"
    TOO_MANY_CODES = 166, None, "No more codes go there today. Try again tomorrow, or call us"
    NOT_WAITING = 167, None, "Somebody has decided this already. Look at it again"
    WORDS_MISSING = 168, None, "There are no words for the customer. Say what is missing or why"
    WRONG_STATUS = 169, None, "The account is not in that state. Look at it again"
    INVITATION_VOID = 170, None, "This invitation counts no more. Ask for a new one"
    LAST_OWNER = 171, None, "An account needs an owner. Make somebody else owner first"
    MEMBER_THERE = 172, None, "{value} is a member or invited already. Change that one"
    TOO_MANY_MEMBERS = 173, None, "An account has at most {value} members. Remove one first"
    SENDER_REGISTERED_ONLY = 174, None, "A sender ID with # is one that OFCA has registered. Ask with its letter"
    SENDER_WAITS = 175, None, "This sender ID is asked for already, or in use. Wait for the answer"
    TOO_MANY_KEYS = 176, None, "A customer has at most {value} keys. Revoke one first"
    PLATFORM_CANNOT_SEND = 177, None, "The text cannot be sent now. Try again later, or call us"
    ADDRESS_NOT_ALLOWED = 178, None, "The account may not be called from this address. Add it to the account's networks"
    NOT_A_NETWORK = 179, None, "“{value}” is no network. Write it as 203.0.113.7 or 203.0.113.0/24"
    TOO_MANY_NETWORKS = 180, None, "An account has at most {value} networks. Remove one first"
    KEY_ENDS_BEFORE = 181, None, "The key would count no more when it is made. Choose a day to come"
    NOT_FOR_TESTS = 182, None, "A test key does not do that ({value}). Leave it out"
    MAIL_ADDRESS_TAKEN = 184, None, "{value} is registered already. Remove it there first"
    TOO_MANY_MAIL_ADDRESSES = 185, None, "A customer has at most {value} mail addresses. Remove one first"
    BAD_LOGIN_NAME = 186, None, "A login name has 3 to 20 letters, digits, dots or hyphens, a letter first"
    OWN_ROLE = 187, None, "Nobody changes their own role. Ask another administrator"
    ADMINISTRATOR_THERE = 188, None, "There is an administrator already. Ask them to let you in"
    NO_MAIL_ADDRESS = 189, None, "{value} has no mail address. Let them in anew under another login name"
    NO_WINDOW = 190, None, "The customer has no support window open. Ask the customer to open one"
    OWNERS_ONLY = 191, None, "Only the account's owner decides this. Ask the owner"
    NOT_BLOCKED = 192, None, "This address is not blocked (any more)"
    NOT_TAKEN_YET = 193, None, "No operator has this message, so there is nothing to ask. Its page says why"
    CASE_OPEN_ALREADY = 194, None, "A case is open about this message already"
    NO_SUCH_CASE = 195, None, "The case is closed, or marked already. Look at it again"
    TOO_MANY_TESTS = 196, None, "{value} tests were sent to this number. Ask the operator instead"
    BAD_MONTHS = 197, None, "Results are kept 1 to 84 months, not {value}"
    UNSUBSCRIBES_COME = 183, None, "A promotional text of the last {value} days can still be unsubscribed from. Wait"
    NOT_CLOSED = 198, None, "Only the data of a closed account are erased. Close it first"
    # Codes that customers have us send and check.
    NO_CODE_IN_TEXT = 220, None, "The text has no {code}. Write it where the code goes"
    NO_SUCH_VERIFICATION = 221, None, "There is no such verification"
    VERIFIED_LATELY = 222, None, "A code went to this number moments ago. Wait {value} seconds"
    VERIFIED_TOO_OFTEN = 223, None, "Too many codes went to this number today ({value}). Try again tomorrow"
    VERIFIED_IN_VAIN = 224, None, "Too many codes to numbers like this one did not come back. Wait an hour, or call us"
    # Numbers that customers rent, and replies.
    BAD_NUMBER = 230, None, "“{value}” is no number. Write it in digits, with its country code"
    NUMBER_THERE = 231, None, "{value} is set up already. Look at it in the list"
    NUMBER_RENTED = 232, None, "Somebody rents {value}. End that first"
    KEYWORD_MALFORMED = 233, None, "A keyword has 2 to 20 letters or digits and no space. Choose another"
    KEYWORD_TAKEN = 234, None, "The keyword “{value}” is taken on this number, or unsubscribes. Choose another"
    RENTAL_ENDED = 235, None, "This rent has ended already. Look at it again"
    NO_SUCH_REPLY = 236, None, "Somebody has seen to this reply already"
    TOO_MANY_ANSWERS = 237, None, "A customer has at most {value} answers. Remove one first"
    FORWARDS_TO_ITSELF = 238, None, "{value} is one of the numbers that replies come to. Choose another"
    # The address book.
    BAD_CONTACT_NAME = 250, None, "A name has at most 100 characters ({value}…). Shorten it"
    BAD_FIELD = 251, None, "The field “{value}” cannot be. Its name has no braces; it holds at most 500 characters"
    TOO_MANY_FIELDS = 252, None, "A contact has at most {value} fields. Leave some out"
    TOO_MANY_CONTACTS = 253, None, "An address book holds at most {value} contacts. Delete some first"
    NO_SUCH_GROUP = 254, None, "There is no such group (any more). Choose another"
    BAD_GROUP_NAME = 255, None, "A group has a name of 1 to 60 characters. Type one"
    TOO_MANY_GROUPS = 256, None, "An address book has at most {value} groups. Delete one first"
    # Customers' servers, told by webhooks.
    WEBHOOK_URL = (
        270,
        None,
        "This is no URL that can be called. Write it as https://example.com/sms, with port 80, 443 or above 1023",
    )
    WEBHOOK_NOT_PUBLIC = 271, None, "{value} is no public address. Use one that can be reached from the internet"
    WEBHOOK_NOT_TLS = 272, None, "Signed webhooks go by https only. Begin the URL with https://"
    WEBHOOK_EVENTS = (
        273,
        None,
        "No event is chosen, or one that this form does not have ({value}). Choose from the list",
    )
    TOO_MANY_WEBHOOKS = 274, None, "A customer has at most {value} webhooks. Remove one first"
    NO_SUCH_WEBHOOK = 275, None, "There is no such webhook or delivery. Look at the list again"
    WEBHOOK_OFF = 276, None, "This webhook is switched off. Switch it on first"
    WEBHOOK_TESTS_WAIT = 277, None, "{value} tests wait to be delivered. See what became of them first"
    TOO_MUCH_TO_REPLAY = 278, None, "At most {value} deliveries are replayed at once. Choose a shorter time"
    OVERLOADED = 429, None, "Too many requests are waiting. Try again in a second"


BY_NUMBER = {reason.number: reason for reason in Reason}


class Refused(Exception):
    """A request, or one recipient of it, that cannot be served; nothing was written, sent or charged.

    `field` names the part of the request that is wrong ("text", "recipients", …), `value` is the offending value.
    """

    def __init__(self, reason: Reason, field: str = "", value: str = "") -> None:
        super().__init__(reason, field, value)
        self.reason = reason
        self.field = field
        self.value = value

    def __str__(self) -> str:
        if "{value}" in self.reason.words:
            return self.reason.words.replace("{value}", self.value)
        value = f" ({self.value})" if self.value else ""
        return f"{self.reason.words}{value}"
