"""Personal texts: `Dear {name}` and the fields of a row (spec S4).

The rules: `{name}` stands for the row's field of exactly that name, spaces at its ends aside; `{name|Customer}` says
what stands there where the row has none, and `{name|}` that nothing does. A name may be of any language and have
spaces inside, but no braces, no `|` and no line break. `{{` and `}}` stand for a brace, read from the left. What a row
puts in is text: braces in it mean nothing.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from sampan.reasons import Reason, Refused

TEMPLATES_KEPT = 256
LONGEST_SNIPPET = 20

_TOKEN = re.compile(r"(?P<text>[^{}]+|\{\{|\}\})|\{(?P<field>[^{}\r\n]+)\}|[{}]")
_BRACES = {"{{": "{", "}}": "}"}


class Field(NamedTuple):
    """What stands in braces; without a default the row must have a value."""

    name: str
    default: str | None


class Template(NamedTuple):
    """Text and field in turn: there is always one text more."""

    texts: tuple[str, ...]
    fields: tuple[Field, ...]

    def fill(self, row: Mapping[str, str]) -> str:
        """With the row's values in place. Raises Refused (NO_SUCH_FIELD) naming the fields that have none."""
        filled = [self.texts[0]]
        for (name, default), text in zip(self.fields, self.texts[1:], strict=True):
            value = row.get(name) or default
            if value is None:
                raise Refused(Reason.NO_SUCH_FIELD, "text", ", ".join(self.missing(row)))
            filled += (value, text)
        return "".join(filled)

    def missing(self, row: Mapping[str, str]) -> list[str]:
        """The names of the fields that have neither a value nor a default, each once."""
        lacks = [field.name for field in self.fields if field.default is None and not row.get(field.name)]
        return list(dict.fromkeys(lacks))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the fields, each once, in order of first use."""
        return tuple(dict.fromkeys(field.name for field in self.fields))

    @property
    def own_words(self) -> str:
        """What every row's text says: the template without its fields."""
        return " ".join(self.texts)


def is_template(text: str) -> bool:
    """Would a row change it? A text without braces is sent as it stands."""
    return "{" in text or "}" in text


@lru_cache(TEMPLATES_KEPT)
def read_template(text: str) -> Template:
    """The template, taken apart; kept, because a batch fills one for each row. Raises Refused (BAD_TEMPLATE)."""
    texts, fields = [""], []
    for token in _TOKEN.finditer(text):
        if token["text"]:
            texts[-1] += _BRACES.get(token["text"], token["text"])
        elif field := _field(token["field"] or ""):
            fields.append(field)
            texts.append("")
        else:
            snippet = text[token.start() : token.start() + LONGEST_SNIPPET]
            raise Refused(Reason.BAD_TEMPLATE, "text", f"character {token.start() + 1}: {snippet}")
    return Template(tuple(texts), tuple(fields))


def _field(words: str) -> Field | None:
    name, has_default, default = words.partition("|")
    return Field(name.strip(), default if has_default else None) if name.strip() else None
