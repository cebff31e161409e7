"""The words marked for translation, and `make words`: what is new comes into the catalogues, what is gone goes.

python -m tests.catalogues
"""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parents[1] / "sampan"
LOCALES = ("zh_Hant", "zh_Hans")
STAFF = re.compile(r"sampan/interfaces/(templates/)?staff[/_]|sampan/ops/")
PLACEHOLDER = re.compile(r"%\(\w+\)s|%s|%%|\{\{?\w*\}?\}|</?\w[^>]*>")
BEGUN = datetime(2026, 11, 22, tzinfo=UTC)
NOBODY = {"last_translator": "", "language_team": "", "msgid_bugs_address": ""}
CALLS = {
    name + lazy: spec
    for lazy in ("", "_lazy")
    for name, spec in {
        "gettext": None,
        "ngettext": (1, 2),
        "pgettext": ((1, "c"), 2),
        "npgettext": ((1, "c"), 2, 3),
    }.items()
} | {"_": None, "gettext_noop": None}


def marked() -> Catalog:
    """Every word of the package that is marked, with the files it stands in."""
    from django.utils.translation.template import templatize

    found = Catalog(fuzzy=False)
    for path in sorted(PACKAGE.rglob("*.py")):
        _collect(found, path, path.read_bytes())
    for path in sorted((PACKAGE / "interfaces/templates").rglob("*.html")):
        lines = templatize(path.read_text(), origin=str(path)).split("\n")
        _collect(found, path, "\n".join(line.strip() for line in lines).encode())
    return found


def _collect(found: Catalog, path: Path, source: bytes) -> None:
    place = str(path.relative_to(PACKAGE.parent))
    for _line, call, given, _comments in extract_python(io.BytesIO(source), CALLS, [], {"encoding": "utf-8"}):
        texts = list(given) if isinstance(given, tuple | list) else [given]
        name = str(call).removesuffix("_lazy")
        context = texts.pop(0) if name in ("pgettext", "npgettext") else None
        if texts and texts[0]:
            plural = name in ("ngettext", "npgettext")
            found.add((texts[0], texts[1]) if plural else texts[0], context=context, locations=[(place, 0)])


def catalogue_file(locale: str) -> Path:
    """Where its words stand."""
    return PACKAGE / "locale" / locale / "LC_MESSAGES/django.po"


def catalogue(locale: str) -> Catalog:
    """The words of one language as they are translated."""
    with catalogue_file(locale).open("rb") as file:
        return read_po(file, locale=locale)


def is_for_staff_alone(message: Message) -> bool:
    """Whether nobody but our own people ever reads it."""
    return bool(message.locations) and all(STAFF.match(place) for place, _ in message.locations)


def translations(message: Message) -> list[str]:
    """What it is in that language; empty texts where it is not translated yet."""
    return list(message.string) if isinstance(message.string, tuple | list) else [str(message.string or "")]


def sources(message: Message) -> list[str]:
    """What it is in English: one text, or one and its plural."""
    return list(message.id) if isinstance(message.id, tuple | list) else [str(message.id)]


def refresh(locale: str) -> int:
    """Bring the marked words into a catalogue and take the others out; gives how many have no translation."""
    known = catalogue(locale)
    fresh = Catalog(
        locale, project="Sampan", version="0", fuzzy=False, header_comment="#", creation_date=BEGUN, **NOBODY
    )
    for message in marked():
        if not message.id:
            continue
        old = known.get(message.id, message.context)
        fresh.add(
            message.id, old.string if old else None, locations=sorted(set(message.locations)), context=message.context
        )
    with catalogue_file(locale).open("wb") as file:
        write_po(file, fresh, width=120, sort_by_file=True, include_lineno=False, omit_header=False)
    return sum(not all(translations(message)) for message in fresh if message.id)


def main() -> None:
    """Both languages."""
    for locale in LOCALES:
        print(f"{locale}: {refresh(locale)} words without a translation")


if __name__ == "__main__":
    main()
