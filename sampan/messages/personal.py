"""Personal texts: a draft's template filled in for each of its recipients (spec S4).

Only the fields that the template uses are kept, beside the message: so that it can be changed, started and sent again,
and so that nothing else of a customer's files stays with us.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from sampan.compliance.footers import Footers, with_footer
from sampan.compliance.law import Law
from sampan.composing.alphabet import Coding
from sampan.composing.parts import Composed
from sampan.composing.template import is_template, read_template
from sampan.database import array_of_texts
from sampan.messages.ways import region_of, text_at
from sampan.reasons import Reason, Refused
from sampan.routing.directory import DestinationFacts
from sampan.routing.tables import Destination

Region = Destination.Region
Fields = Mapping[str, str]
"""What a row gives: by the names of its columns, or of the fields of the address book."""


read_fields = msgspec.json.Decoder(dict[str, str]).decode
"""A row of fields as it is stored."""
read_all_fields = msgspec.json.Decoder(list[dict[str, str]]).decode


class OwnTexts(msgspec.Struct, frozen=True):
    """For each recipient its own text, and the fields it was filled in from."""

    texts: list[str]
    fields: list[dict[str, str]]


def own_texts(
    text: str, rows: Sequence[Fields] | None, numbers: Sequence[int], repeats: Sequence[int]
) -> OwnTexts | None:
    """Each number's text by the first of its rows; None where all get `text` as it stands.

    `repeats` gives for each row the place of its number. Raises Refused: BAD_TEMPLATE, or NO_SUCH_FIELD naming the
    fields, the first number that lacks them and how many others do.
    """
    if rows is None or not is_template(text):
        return None
    row_of: list[Fields] = [{}] * len(numbers)
    for place, row in zip(reversed(repeats), reversed(rows), strict=True):
        row_of[place] = row
    template = read_template(text)
    lacking = [(number, names) for number, row in zip(numbers, row_of, strict=True) if (names := template.missing(row))]
    if lacking:
        number, names = lacking[0]
        others = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
        raise Refused(Reason.NO_SUCH_FIELD, "text", f"{', '.join(names)}: {number}{others}")
    kept = template.names
    return OwnTexts(
        [template.fill(row) for row in row_of],
        [{name: value for name in kept if (value := row.get(name))} for row in row_of],
    )


def own_words(text: str, own: OwnTexts | None) -> str:
    """What every recipient's text says, whatever the fields are: by it the footer is chosen (spec S95)."""
    return text if own is None else read_template(text).own_words


def personal_columns(plans: Sequence[tuple[OwnTexts | None, int]]) -> dict[str, str]:
    """`texts` and `fields` of the messages of some plans, as arrays of SQL: empty ones where none has its own.

    Each plan's own texts come with how many messages it has.
    """
    if all(own is None for own, _ in plans):
        return {"texts": "{}", "fields": "{}"}
    texts: list[str | None] = []
    fields: list[str | None] = []
    for own, count in plans:
        texts += own.texts if own else [None] * count
        fields += [msgspec.json.encode(row).decode() for row in own.fields] if own else [None] * count
    return {"texts": array_of_texts(texts), "fields": array_of_texts(fields)}


class Worded(NamedTuple):
    """A text as a recipient gets it, and the words in it that may not go to China."""

    composed: Composed
    illegal: str


Wording = dict[Region, Worded] | list[Worded]
"""By region, or for each recipient its own."""


def wording(
    text: str,
    own: OwnTexts | None,
    numbers: Sequence[int],
    destinations: Sequence[DestinationFacts | None],
    law: Law,
    *,
    coding: Coding | None,
    footers: Footers,
    signature: str,
) -> Wording:
    """What everybody gets. Raises Refused as `text_at` does; of an own text naming the number (spec S20)."""

    def at(text: str, destination: DestinationFacts | None) -> Worded:
        region = region_of(destination)
        illegal = law.illegal_words(with_footer(text, footers, region)) if region == Region.CHINA else ""
        return Worded(text_at(text, destination, coding=coding, footers=footers, signature=signature), illegal)

    known: dict[tuple[Region, str], Worded] = {}
    if own is None:
        for destination in dict.fromkeys(destinations):
            region = region_of(destination)
            known[region, text] = known.get((region, text)) or at(text, destination)
        return {region: each for (region, _), each in known.items()}
    for number, destination, own_text in zip(numbers, destinations, own.texts, strict=True):
        key = region_of(destination), own_text
        try:
            known[key] = known.get(key) or at(own_text, destination)
        except Refused as refused:
            raise Refused(refused.reason, refused.field, f"{number}: {refused.value}".strip(": ")) from None
    places = zip(destinations, own.texts, strict=True)
    return [known[region_of(destination), own_text] for destination, own_text in places]
