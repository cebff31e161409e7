"""What was typed → a mobile number: E.164 digits, country code first, kept as an int (spec S1, S41).

`parse` reads what people type and spreadsheets store, `parse_international` what programs send (http_api.md: country
code and number, digits only), `parse_many` a whole column. What `parse` takes as one number:

- spaces, dashes and brackets of any script, dots, invisible marks, full-width digits; `+` or `00` to begin with;
- 8 digits: a Hong Kong number. With `+` or `00` they are what they say: a country code and a number;
- what spreadsheets and exports put around a number: `'91234567`, `="91234567"`, `91234567.0`, `91,234,567`, `tel:`;
- `9.1234567E+07` where all its digits are there. `9.12E+07` has lost some: refused, never guessed;
- a 0 after a country code that has a trunk prefix (`+86 0138…`, `+44 (0)79…`). Hong Kong and Macau have none.

What it refuses although a guess would be possible, because a wrong guess sends to a stranger and costs money:

- 11 digits from 13 to 19 without a country code: a mobile in mainland China, or one in North America with its 1;
- 9 digits or fewer, but not 8, without `+` or `00`: a slip in a Hong Kong number, though some island may have it;
- digits with one dot, but 9123.4567 and 852.91234567: an amount (512345.67) or a place on the map (51.507351);
- a leading 0: somebody's trunk prefix; two numbers in one place; words around a number.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from sampan.reasons import Reason, Refused

MOST_DIGITS = 15  # ITU-T E.164 §6
HONG_KONG_DIGITS = MACAU_DIGITS = 8
CHINA_DIGITS = 11
MOST_CHARACTERS_SHOWN = 40
LEAST_DIGITS_OF_A_NUMBER = 7

Typed = str | int


class Fault(Enum):
    """What is wrong with a typed number, and how to mend it; `{digits}` stands for how many were counted."""

    NOT_A_NUMBER = "Not a number."
    EMPTY = "No number in this row."
    MORE_THAN_A_NUMBER = "More than a number. Keep only the number."
    TWO_NUMBERS = "Two numbers in one place. Give each a row of its own."
    ROUNDED = "Spreadsheet rounded it. Store the column as text."
    HONG_KONG_LENGTH = "{digits} digits. A Hong Kong number has 8."
    MACAU_LENGTH = "{digits} digits. A Macau number has 8."
    CHINA_LENGTH = "{digits} digits. A mainland China mobile has 11."
    TOO_MANY_DIGITS = "{digits} digits. No number has more than 15. Give each a row of its own."
    FIXED_LINE = "Fixed line. Only mobiles can receive SMS."
    SPECIAL_NUMBER = "Service number. Only mobiles can receive SMS."
    HONG_KONG_START = "No Hong Kong mobile begins like this. Check the first digits."
    MACAU_FIXED_LINE = "Macau fixed line. Mobiles begin with 6."
    CHINA_START = "Mainland China mobiles begin with 13 to 19. Check the digits after 86."
    CHINA_OR_AMERICA = "Mainland China or North America? Write +86 or +1 before it."
    LEADING_ZERO = "Begins with 0. Write the country code instead of the 0."
    NO_COUNTRY_CODE = "No country code. Write 852 before a Hong Kong number."
    UNKNOWN_COUNTRY = "No country has this code. Check the first digits."
    NO_SUCH_NUMBER = "No such number in its country. Check the digits."
    NOT_DIGITS = "Other characters than digits. Write country code and number, digits only."


class Flaw(NamedTuple):
    """One typed value that is no mobile number. `digits` is how many it has, where their number is the fault."""

    fault: Fault
    value: str
    digits: int = 0

    @property
    def words(self) -> str:
        """The explanation in English; for other languages translate `fault.value` and put `digits` in."""
        return self.fault.value.format(digits=self.digits)


class NotAMobile(Refused):
    """`Reason.NOT_A_MOBILE` with the flaw of this very value."""

    def __init__(self, fault: Fault, value: str, digits: int = 0) -> None:
        shown = value if len(value) <= MOST_CHARACTERS_SHOWN else value[: MOST_CHARACTERS_SHOWN - 1] + "…"
        super().__init__(Reason.NOT_A_MOBILE, "recipients", shown)
        self.flaw = Flaw(fault, shown, digits)

    def __str__(self) -> str:
        return f"{self.flaw.words} ({self.value})"


@dataclass(frozen=True)
class MobileTable:
    """Hong Kong's mobile numbers by their first digits, as staff may edit them (spec S41); libraries lag behind."""

    starts: tuple[str, ...] = ("4", "5", "6", "7", "8", "9")
    excepted: tuple[str, ...] = ("800", "900", "999")

    def __post_init__(self) -> None:
        if not self.starts or not all(re.fullmatch("[0-9]{1,8}", start) for start in self.starts + self.excepted):
            raise ValueError("a number begins with digits, and at least one beginning is a mobile's")

    @cached_property
    def hong_kong(self) -> str:
        """A pattern of the 8 digits."""
        excepted = f"(?!{'|'.join(self.excepted)})" if self.excepted else ""
        return f"{excepted}(?={'|'.join(self.starts)})[0-9]{{{HONG_KONG_DIGITS}}}"

    @cached_property
    def national(self) -> re.Pattern[str]:
        """Matches a Hong Kong mobile of 8 digits."""
        return re.compile(self.hong_kong)

    @cached_property
    def international(self) -> re.Pattern[str]:
        """Matches country code and number of a mobile in Hong Kong, Macau or mainland China."""
        return re.compile(f"852{self.hong_kong}|8536[0-9]{{7}}|861[3-9][0-9]{{9}}")

    @cached_property
    def typed(self) -> re.Pattern[bytes]:
        """Matches either, after the separators are gone; group 1 has the country code, group 2 needs Hong Kong's."""
        return re.compile(rf"(?:\+|00)?({self.international.pattern})|({self.hong_kong})".encode())


MOBILES = MobileTable()

_SPACES = " \t\r\n\v\f\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
_DASHES = "-‐‑‒–—―⁃−﹘﹣－"
_BRACKETS = "()[]（）［］"
_DOTS = ".·"
# Bytes are translated five times as fast. No dot is among them: in 9123456.0 it does not separate digits of a number.
_USUAL_SEPARATORS = b" \t-()[]"
_ASCII = str.maketrans("０１２３４５６７８９＋．，", "0123456789+.,")
_WITHOUT_SEPARATORS = dict.fromkeys(map(ord, _SPACES + _INVISIBLE + _DASHES + _BRACKETS + _DOTS))

_WRAPPING = re.compile(r"""^(?:=?"|['‘’`]|tel:)|["'’]$""", re.IGNORECASE)
_WHOLE = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.0+)?")
_SCIENTIFIC = re.compile(r"([0-9])(?:\.([0-9]+))?E\+?([0-9]{1,3})", re.IGNORECASE)
_DATE = re.compile(r"(?:19|20)[0-9]{2}([-/.])[0-9]{1,2}\1[0-9]{1,2}(?:[ T].*)?")
_DECIMAL = re.compile(r"(?!(?:[0-9]{4}\.[0-9]{4}|85[23]\.[0-9]{8}|86\.[0-9]{11})$)[0-9]+\.[0-9]+")
_BETWEEN_NUMBERS = re.compile(r"[/\\,;、；|&\n]|\bor\b|或|和")
_CHINA_START = re.compile(r"1[3-9]")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_MOBILE_TYPES = frozenset((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE))


def parse(typed: Typed, table: MobileTable = MOBILES) -> int:
    """The mobile number a person meant, forms as at the head of this file. Raises NotAMobile."""
    value = str(typed)
    match = table.typed.fullmatch(_without_separators(value))
    return _matched(match) if match else _parse_unusual(value, table)


def parse_many(values: Iterable[Typed], table: MobileTable = MOBILES) -> tuple[list[int], list[tuple[int, Flaw]]]:
    """`parse` for a column: its mobile numbers in order; and of each other value its index, from 0, and its flaw."""
    typed = [str(value) for value in values]
    cleaned = _without_separators("\n".join(typed)).split(b"\n")
    if len(cleaned) != len(typed):  # a value has a line break, or there is none at all
        cleaned = [_without_separators(value) for value in typed]
    usual = table.typed.fullmatch
    numbers: list[int] = []
    flaws: list[tuple[int, Flaw]] = []
    for index, text in enumerate(cleaned):
        if match := usual(text):
            numbers.append(_matched(match))
            continue
        try:
            numbers.append(_parse_unusual(typed[index], table))
        except NotAMobile as refused:
            flaws.append((index, refused.flaw))
    return numbers, flaws


def parse_international(typed: Typed, table: MobileTable = MOBILES) -> int:
    """The mobile number a program gave: country code and number, digits only, a `+` forgiven. Raises NotAMobile.

    Nothing is put right, so that what a callback names is what the client sent. 8 digits without `+` are a Hong Kong
    number whose country code was forgotten, and not one of the few countries with numbers as short.
    """
    value = str(typed)
    digits = value.removeprefix("+")
    if table.international.fullmatch(digits):
        return int(digits)
    if not digits or _NOT_DIGITS.search(digits):
        raise NotAMobile(Fault.NOT_DIGITS, value)
    if digits[0] == "0":
        raise NotAMobile(Fault.LEADING_ZERO, value)
    if len(digits) <= HONG_KONG_DIGITS and digits == value:
        raise NotAMobile(Fault.NO_COUNTRY_CODE, value)
    number = _of_a_country(digits, value, table)
    if str(number) != digits:
        raise NotAMobile(Fault.NO_SUCH_NUMBER, value)
    return number


def _without_separators(text: str) -> bytes:
    """Ready for the pattern of the usual forms; what is not ASCII becomes `?` and does not match it."""
    return text.encode("ascii", "replace").translate(None, _USUAL_SEPARATORS)


def _matched(match: re.Match[bytes]) -> int:
    return int(match[1] or b"852" + match[2])


def _parse_unusual(value: str, table: MobileTable) -> int:
    """What the one pattern of the usual forms does not match: the rarer forms, other countries, and all faults."""
    digits = _digits(value)
    explicit = digits.startswith(("+", "00"))
    digits = digits[1:] if digits[0] == "+" else digits.removeprefix("00")
    if len(digits) > MOST_DIGITS:
        raise NotAMobile(Fault.TOO_MANY_DIGITS, value, len(digits))
    if explicit:
        return _of_a_country(digits, value, table)
    if digits[0] == "0":
        raise NotAMobile(Fault.LEADING_ZERO, value)
    if len(digits) <= HONG_KONG_DIGITS + 1:
        return _in_hong_kong(digits, value, table)
    if len(digits) == CHINA_DIGITS and _CHINA_START.match(digits):
        raise NotAMobile(Fault.CHINA_OR_AMERICA, value)
    return _of_a_country(digits, value, table)


def _digits(value: str) -> str:
    """The digits, at least 2, after a `+` if one was typed."""
    text = value.translate(_ASCII).strip(_SPACES + _INVISIBLE)
    if not text:
        raise NotAMobile(Fault.EMPTY, value)
    text = _WRAPPING.sub("", text)
    if whole := _WHOLE.fullmatch(text):
        text = whole[1].replace(",", "")
    elif scientific := _SCIENTIFIC.fullmatch(text):
        text = _written_out(scientific, value)
    elif _DATE.fullmatch(text) or _DECIMAL.fullmatch(text):
        raise NotAMobile(Fault.NOT_A_NUMBER, value)
    bare = text.translate(_WITHOUT_SEPARATORS)
    digits = _NOT_DIGITS.sub("", bare)
    if len(digits) >= 2 and bare in (digits, "+" + digits):
        return bare
    pieces = (_NOT_DIGITS.sub("", piece) for piece in _BETWEEN_NUMBERS.split(text))
    if sum(len(piece) >= LEAST_DIGITS_OF_A_NUMBER for piece in pieces) > 1:
        raise NotAMobile(Fault.TWO_NUMBERS, value)
    more = len(digits) >= LEAST_DIGITS_OF_A_NUMBER
    raise NotAMobile(Fault.MORE_THAN_A_NUMBER if more else Fault.NOT_A_NUMBER, value)


def _written_out(scientific: re.Match[str], value: str) -> str:
    """9.1234567E+07 → 91234567. Where the fraction is shorter than the exponent, digits were lost."""
    first, fraction, exponent = scientific[1], scientific[2] or "", int(scientific[3])
    if len(fraction) < exponent:
        raise NotAMobile(Fault.ROUNDED, value)
    if fraction[exponent:].strip("0"):
        raise NotAMobile(Fault.NOT_A_NUMBER, value)
    return first + fraction[:exponent]


def _of_a_country(digits: str, value: str, table: MobileTable) -> int:
    """The number whose country code comes first."""
    if digits.startswith("852"):
        return _in_hong_kong(digits[3:], value, table)
    if digits.startswith("853"):
        return _in_macau(digits[3:], value)
    if digits.startswith("86"):
        return _in_china(digits[2:].removeprefix("0"), value)
    return _elsewhere(digits, value)


def _in_hong_kong(national: str, value: str, table: MobileTable) -> int:
    if table.national.fullmatch(national):
        return int("852" + national)
    if len(national) >= HONG_KONG_DIGITS and national.startswith(table.excepted):  # 800 96 1234 has 9
        raise NotAMobile(Fault.SPECIAL_NUMBER, value)
    if len(national) != HONG_KONG_DIGITS:
        raise NotAMobile(Fault.HONG_KONG_LENGTH, value, len(national))
    raise NotAMobile(Fault.FIXED_LINE if national[0] in "23" else Fault.HONG_KONG_START, value)


def _in_macau(national: str, value: str) -> int:
    if len(national) != MACAU_DIGITS:
        raise NotAMobile(Fault.MACAU_LENGTH, value, len(national))
    if national[0] != "6":
        raise NotAMobile(Fault.MACAU_FIXED_LINE, value)
    return int("853" + national)


def _in_china(national: str, value: str) -> int:
    if not _CHINA_START.match(national):
        raise NotAMobile(Fault.CHINA_START, value)
    if len(national) != CHINA_DIGITS:
        raise NotAMobile(Fault.CHINA_LENGTH, value, len(national))
    return int("86" + national)


def _elsewhere(digits: str, value: str) -> int:
    """By the library's numbering plans: a mobile, or what could be one (spec S41)."""
    try:
        number = phonenumbers.parse("+" + digits)
    except NumberParseException as error:
        unknown = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        raise NotAMobile(Fault.UNKNOWN_COUNTRY if unknown else Fault.NO_SUCH_NUMBER, value) from None
    kind = phonenumbers.number_type(number)
    if kind in _MOBILE_TYPES:
        return int(f"{number.country_code}{phonenumbers.national_significant_number(number)}")
    if kind == PhoneNumberType.UNKNOWN:
        raise NotAMobile(Fault.NO_SUCH_NUMBER, value)
    raise NotAMobile(Fault.FIXED_LINE if kind == PhoneNumberType.FIXED_LINE else Fault.SPECIAL_NUMBER, value)
