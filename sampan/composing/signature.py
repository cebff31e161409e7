"""The signature 【…】 that begins every text to China (spec S90)."""

from sampan.composing.alphabet import Coding, encode

OPENING, CLOSING = "【", "】"
FEWEST_UNITS = 2
MOST_UNITS = 6
"""UTF-16 units inside the brackets: with them 8, so that a text of 62 and its signature fit one short message of 70."""


def is_valid_signature(name: str) -> bool:
    """Can `name` stand inside the brackets? 2 to 6 UTF-16 units, printable, no brackets, no space at an end."""
    if not name.isprintable() or name != name.strip() or OPENING in name or CLOSING in name:
        return False
    return FEWEST_UNITS <= len(encode(name, Coding.UCS2)) // 2 <= MOST_UNITS


def signed(text: str, name: str) -> str:
    """The text as it goes to China, with its signature in front; a text that begins with it already stays as it is.

    Raises ValueError where `name` is not a valid signature: it is checked when it is approved, not when it is used.
    """
    if not is_valid_signature(name):
        raise ValueError(f"no China signature: {name!a}")
    mark = f"{OPENING}{name}{CLOSING}"
    return text if text.startswith(mark) else mark + text
