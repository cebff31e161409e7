"""POST /v1/messages: a text to one or to 100,000, planned or sent (spec S2, S4, S8, S123)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from sampan.accounts.keys import Scope
from sampan.composing.alphabet import Coding
from sampan.database import Connection
from sampan.interfaces.json_api.calls import Answer, Call, Given, Line, Moment, NoQuery, Operation, Tools, hkd
from sampan.interfaces.json_api.problems import OF_REASONS
from sampan.messages.planning import Draft, Plan, Platform, plan, terms_in_force
from sampan.messages.submit import Accepted
from sampan.messages.tables import Purpose, Source
from sampan.reasons import BY_NUMBER, Reason, Refused
from sampan.routing.numbers import NotAMobile, parse_international

MOST_RECIPIENTS = 100_000
MANY = 500  # an answer about more of them is made beside the loop
LONGEST_NUMBER, LONGEST_TEXT, LONGEST_FIELD = 40, 2_000, 500

Number = Annotated[
    str,
    msgspec.Meta(
        max_length=LONGEST_NUMBER,
        description="Country code and number, digits only; a `+` before them is forgiven",
        examples=["85261234567"],
    ),
]
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
FieldText = Annotated[str, msgspec.Meta(max_length=LONGEST_FIELD)]
PurposeWord = Literal["transactional", "promotional"]
PURPOSES: dict[str, Purpose] = {"transactional": Purpose.TRANSACTIONAL, "promotional": Purpose.PROMOTIONAL}
CODINGS = {"gsm": Coding.GSM7, "unicode": Coding.UCS2}


def number_of(given: str, field: str) -> int:
    """The mobile in this field of a request. In a query its `+` may have become a space. Raises NotAMobile."""
    try:
        return parse_international(given.lstrip())
    except NotAMobile as refused:
        refused.field = field
        raise


def numbers_of(given: Sequence[str], field: str, most: int, *, within: str = "") -> list[int]:
    """The mobiles in a list of a request, at most so many. Raises TOO_MANY_RECIPIENTS, NotAMobile, by their place."""
    if len(given) > most:
        raise Refused(Reason.TOO_MANY_RECIPIENTS, field, f"{len(given):,}; at most {most:,}")
    return [number_of(each, f"{field}[{place}]{within}") for place, each in enumerate(given)]


class Recipient(Given):
    """One recipient with what the text's fields become for them."""

    to: Number
    fields: Annotated[dict[Line, FieldText], msgspec.Meta(description="By name: {name} in the text")] = msgspec.field(
        default_factory=dict
    )


class NewMessages(Given):
    """A text and to whom it goes. With `fields` it is a template: `Dear {name}`, `{name|Customer}`, `{{` a brace."""

    to: Annotated[
        Number | list[Number | Recipient],
        msgspec.Meta(description=f"One number, or a list of at most {MOST_RECIPIENTS:,} numbers or recipients"),
    ]
    text: Text
    sender: Annotated[Line, msgspec.Meta(description="One of your sender IDs; none on a route that shows none")] = ""
    purpose: Annotated[PurposeWord | None, msgspec.Meta(description="Unsaid: your account's setting")] = None
    route: Annotated[Line, msgspec.Meta(description="A route's code, where you have a choice")] = ""
    scheduled_at: Annotated[Moment | None, msgspec.Meta(description="Unsaid or past: now")] = None
    validity_minutes: Annotated[int | None, msgspec.Meta(description="How long to keep trying: 10 to 1,380")] = None
    register_filter: Annotated[
        bool | None,
        msgspec.Meta(description="Leave out who is on the do-not-call register. Unsaid: for promotional texts"),
    ] = None
    coding: Annotated[
        Literal["gsm", "unicode"] | None, msgspec.Meta(description="Unsaid: the cheaper one that carries the text")
    ] = None
    name: Annotated[Line, msgspec.Meta(description="Of the batch, for your own eyes")] = ""
    dry_run: Annotated[bool, msgspec.Meta(description="Only say what would happen and what it would cost")] = False


class Result(msgspec.Struct, omit_defaults=True):
    """What becomes of one recipient."""

    to: str
    id: str = ""  # absent in a dry run, and where the number is none
    units: int = 0
    price_hkd: str = ""
    reason: str = ""  # why it is not sent, and free: the name of a problem
    reason_code: int | None = None
    detail: str = ""


class Submission(msgspec.Struct, omit_defaults=True):
    """What was accepted, or in a dry run would be."""

    test: bool
    dry_run: bool
    purpose: PurposeWord
    messages: int  # that will be sent
    units: int
    price_hkd: str
    results: list[Result]  # one for each recipient, as given
    batch_id: str = ""
    scheduled_at: datetime | None = None


def draft_of(call: Call[NoQuery, NewMessages]) -> tuple[Draft, list[Result | None]]:
    """The draft, and for each recipient as given its result where the number is none. Raises Refused."""
    asked, holder = call.body, call.holder
    given: Sequence[str | Recipient] = [asked.to] if isinstance(asked.to, str) else asked.to
    if len(given) > MOST_RECIPIENTS:
        raise Refused(Reason.TOO_MANY_RECIPIENTS, "recipients", f"{len(given):,}; at most {MOST_RECIPIENTS:,}")
    is_personal = any(isinstance(each, Recipient) and each.fields for each in given)
    numbers: list[int] = []
    fields: list[dict[str, str]] = []
    bad: list[Result | None] = []
    first_bad: NotAMobile | None = None
    for each in given:
        to = each if isinstance(each, str) else each.to
        try:
            numbers.append(parse_international(to))
        except NotAMobile as refused:
            first_bad = first_bad or refused
            bad.append(_left_out(to, Reason.NOT_A_MOBILE, refused.flaw.words))
        else:
            bad.append(None)
            if is_personal:
                fields.append({} if isinstance(each, str) else each.fields)
    if first_bad is not None and not numbers:
        raise first_bad
    draft = Draft(
        customer=holder.customer,
        person_id=holder.person_id,
        source=Source.TEST if holder.is_test else Source.JSON,
        recipients=numbers,
        text=asked.text,
        fields=fields if is_personal else None,
        sender=asked.sender,
        route=asked.route,
        coding=CODINGS[asked.coding] if asked.coding else None,
        purpose=PURPOSES[asked.purpose] if asked.purpose else None,
        scheduled_at=asked.scheduled_at,
        validity_minutes=asked.validity_minutes,
        register_filter=asked.register_filter,
        client_reference=call.own_reference,
        name=asked.name,
    )
    return draft, bad


def _left_out(to: str, reason: Reason, detail: str = "") -> Result:
    return Result(to, reason=OF_REASONS[reason].name, reason_code=reason.shown, detail=detail or reason.words)


async def send(tools: Tools, call: Call[NoQuery, NewMessages]) -> Answer:
    """Planned at once or accepted; what it says is committed."""
    draft, bad = draft_of(call)
    if call.body.dry_run:
        return await tools.bulk.run(_planned, call, draft, bad, tools.platform)
    outcome = await tools.intake.submit(draft)
    if isinstance(outcome, Refused):
        raise outcome
    is_large = len(draft.recipients) > MANY
    if is_large or outcome.is_repeat:
        return await (tools.bulk if is_large else tools.threads).run(_answered, call, outcome, bad)
    return _accepted(call, outcome, bad)


def _planned(
    conn: Connection, call: Call[NoQuery, NewMessages], draft: Draft, bad: Sequence[Result | None], platform: Platform
) -> Answer:
    planned = plan(draft, terms_in_force(conn, platform), call.now)
    return Answer(_submission(call, planned, bad, [""] * len(planned.repeats)), status=200)


def _answered(
    conn: Connection, call: Call[NoQuery, NewMessages], outcome: Accepted, bad: Sequence[Result | None]
) -> Answer:
    return _again(conn, call, outcome, bad) if outcome.is_repeat else _accepted(call, outcome, bad)


def _accepted(call: Call[NoQuery, NewMessages], outcome: Accepted, bad: Sequence[Result | None]) -> Answer:
    submission = _submission(call, outcome.plan, bad, map(str, outcome.message_ids))
    submission.batch_id = str(outcome.batch_id)
    return Answer(submission)


def _submission(
    call: Call[NoQuery, NewMessages], planned: Plan, bad: Sequence[Result | None], ids: Iterable[str]
) -> Submission:
    price_of = [hkd(kind.price_pips) for kind in planned.kinds]
    places, ids_left = iter(planned.repeats), iter(ids)
    results = []
    for to, left_out in zip(_numbers(call.body), bad, strict=True):
        if left_out is not None:
            results.append(left_out)
            continue
        kind_place = planned.kind_of[next(places)]
        kind, id_ = planned.kinds[kind_place], next(ids_left)
        if kind.reason is None:
            results.append(Result(to, id_, kind.units, price_of[kind_place]))
        else:
            results.append(msgspec.structs.replace(_left_out(to, kind.reason), id=id_))
    return Submission(
        test=call.holder.is_test,
        dry_run=call.body.dry_run,
        purpose="promotional" if planned.purpose == Purpose.PROMOTIONAL else "transactional",
        messages=planned.messages,
        units=planned.units,
        price_hkd=hkd(planned.price_pips),
        results=results,
        scheduled_at=planned.scheduled_at,
    )


def _numbers(asked: NewMessages) -> Sequence[str]:
    if isinstance(asked.to, str):
        return [asked.to]
    return [each if isinstance(each, str) else each.to for each in asked.to]


FIRST = "SELECT price_pips, scheduled_at, purpose FROM batch WHERE id = %s AND customer_id = %s"
# As they were accepted: what was left out then has ended in the same moment.
FIRST_KINDS = """
    SELECT m.units, m.price_pips, CASE WHEN m.final_at = m.created_at THEN m.reason END, array_agg(m.id)
      FROM batch b JOIN message m ON m.customer_id = b.customer_id AND m.created_at = b.created_at AND m.batch_id = b.id
     WHERE b.id = %s AND b.customer_id = %s GROUP BY 1, 2, 3"""
REPLAYED = [(b"idempotency-replayed", b"true")]


def _again(
    conn: Connection, call: Call[NoQuery, NewMessages], outcome: Accepted, bad: Sequence[Result | None]
) -> Answer:
    """The first answer once more, of what was written then: what is in force may have changed since."""
    key = [outcome.batch_id, call.customer_id]
    batch = conn.execute(FIRST, key).fetchone()
    assert batch is not None
    price_pips, scheduled_at, purpose = batch
    kinds: list[tuple[int, str, int | None]] = []
    kind_of: dict[int, int] = {}
    messages = units_of_all = 0
    for units, pips, reason, ids in conn.execute(FIRST_KINDS, key):
        kind_of.update(dict.fromkeys(ids, len(kinds)))
        kinds.append((units, hkd(pips), reason))
        messages += len(ids) if reason is None else 0
        units_of_all += units * len(ids) if reason is None else 0
    results: list[Result] = []
    ids_left = iter(outcome.message_ids)
    for to, left_out in zip(_numbers(call.body), bad, strict=True):
        if left_out is not None:
            results.append(left_out)
            continue
        id_ = next(ids_left)
        units, price, reason = kinds[kind_of[id_]]
        if reason is None:
            results.append(Result(to, str(id_), units, price))
        else:
            results.append(msgspec.structs.replace(_left_out(to, BY_NUMBER[reason]), id=str(id_)))
    submission = Submission(
        test=call.holder.is_test,
        dry_run=False,
        purpose="promotional" if purpose == Purpose.PROMOTIONAL else "transactional",
        messages=messages,
        units=units_of_all,
        price_hkd=hkd(price_pips),
        results=results,
        batch_id=str(outcome.batch_id),
        scheduled_at=scheduled_at,
    )
    return Answer(submission, headers=REPLAYED)


OPERATIONS = (
    Operation(
        name="send_messages",
        method="POST",
        path="/v1/messages",
        scope=Scope.SEND,
        summary="Send a text, or ask what it would cost",
        words="""One request is one batch. A number that is no mobile, or that a rule keeps the text from, is left out
and told in `results`; the rest is sent. What stands against the whole (the balance, the sender ID, the text) refuses
it. The answer comes when everything is stored. With an `Idempotency-Key` it may be sent again and never sends twice;
a dry run writes nothing and answers 200.""",
        handler=send,
        body=NewMessages,
        answer=Submission,
        status=202,
        refusals=(402, 409, 413, 422),
        takes_reference=True,
    ),
)
