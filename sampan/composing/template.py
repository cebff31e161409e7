"""Personal texts: `Dear {name}` and the fields of a row (spec S4).

The rules: `{name}` stands for the row's field of exactly that name, spaces at its ends aside; a name may be of any
language and have spaces inside, but no braces and no line break. `{{` and `}}` stand for a brace, read from the left.
What a row puts in is text: braces in it mean nothing.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from sampan.reasons import Reason, Refused

TEMPLATES_KEPT = 256
LONGEST_SNIPPET = 20

_TOKEN = re.compile(r"(?P<text>[^{}]+|\{\{|\}\})|\{(?P<field>[^{}\r\n]+)\}|[{}]")
_BRACES = {"{{": "{", "}}": "}"}


def fields(template: str) -> tuple[str, ...]:
    """The names of the fields the template uses, each once, in order of first use. Raises Refused (BAD_TEMPLATE)."""
    return tuple(dict.fromkeys(_pieces(template)[1::2]))


def fill(template: str, row: Mapping[str, str]) -> str:
    """The template with the row's values in place; an empty value leaves nothing.

    Raises Refused with BAD_TEMPLATE, or with NO_SUCH_FIELD naming the fields the row lacks.
    """
    pieces = list(_pieces(template))
    try:
        pieces[1::2] = [row[name] for name in pieces[1::2]]
    except KeyError:
        missing = [name for name in fields(template) if name not in row]
        raise Refused(Reason.NO_SUCH_FIELD, "text", ", ".join(missing)) from None
    return "".join(pieces)


@lru_cache(TEMPLATES_KEPT)
def _pieces(template: str) -> tuple[str, ...]:
    """Text and field name in turn, beginning and ending with text; kept, because a batch fills one for each row."""
    pieces, text = [], ""
    for token in _TOKEN.finditer(template):
        if token["text"]:
            text += _BRACES.get(token["text"], token["text"])
        elif name := (token["field"] or "").strip():
            pieces += [text, name]
            text = ""
        else:
            snippet = template[token.start() : token.start() + LONGEST_SNIPPET]
            raise Refused(Reason.BAD_TEMPLATE, "text", f"character {token.start() + 1}: {snippet}")
    return (*pieces, text)
