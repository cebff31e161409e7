"""What each operation does: a request that the schema allows in, the pieces of its response out."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sampan.accounts.access import Caller
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.composing.alphabet import Coding
from sampan.database import Connection, DatabaseThreads
from sampan.inbound import replies
from sampan.inbound.replies import ReplyFacts
from sampan.inbound.words import fold
from sampan.interfaces.soap.answers import code_of, element, hkd, result, text
from sampan.interfaces.soap.reading import Asked, Malformed
from sampan.messages.batches import cancel, delete
from sampan.messages.intake import Intake
from sampan.messages.lookup import Told, price_of, queue_length, told
from sampan.messages.planning import Draft
from sampan.messages.submit import Accepted
from sampan.messages.tables import Purpose, Source, Status
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import NotAMobile, parse_international

HONG_KONG = ZoneInfo("Asia/Hong_Kong")  # of a time without an offset (spec S50)
CODINGS = {"English": Coding.GSM7, "Unicode": Coding.UCS2}
RESULTS_A_PIECE = 2_000
USUAL_REPLIES, MOST_REPLIES = 100, 1_000
TRUE = ("true", "1")  # xs:boolean

_ID = re.compile(r"[0-9]{1,18}", re.ASCII)

Values = Mapping[str, str]
Pieces = tuple[str | AsyncIterator[str], ...]


class Operations:
    """Each operation by its name. Made on the event loop of its process."""

    def __init__(self, intake: Intake, threads: DatabaseThreads) -> None:
        self._intake = intake
        self._threads = threads
        self.by_name: Mapping[str, Callable[[Asked, Caller], Awaitable[Pieces]]] = {
            "SendSms": self.send,
            "GetStatus": self.status,
            "GetBalance": self.balance,
            "GetQueue": self.queue,
            "CancelScheduled": self.cancel,
            "GetReplies": self.replies,
        }

    async def send(self, asked: Asked, caller: Caller) -> Pieces:
        """The batch, its price, and a result for each recipient in the order of the request."""
        read = await self._threads.run(_mobiles, asked.listed)
        mobiles = [each for each in read if isinstance(each, int)]
        if not mobiles and read:
            raise next(each for each in read if isinstance(each, NotAMobile))
        draft = draft_of(asked.values, mobiles, caller)
        outcome = await self._intake.submit(draft)
        if not isinstance(outcome, Accepted):
            raise outcome
        price_pips = await self._threads.run(price_of, caller.customer.id, outcome.batch_id)
        ids = iter(outcome.message_ids)
        rows = [_refused(each) if isinstance(each, NotAMobile) else next(ids) for each in read]
        return (
            element("batchId", outcome.batch_id),
            element("price", hkd(price_pips)),
            self._results(caller.customer.id, rows),
        )

    async def status(self, asked: Asked, caller: Caller) -> Pieces:
        """A result for each message id in the order of the request."""
        rows = [int(each) if _ID.fullmatch(each) else _unknown(each) for each in asked.listed]
        return (self._results(caller.customer.id, rows),)

    async def _results(self, customer_id: int, rows: Sequence[int | str]) -> AsyncIterator[str]:
        """A result for each message id; what is a result already stands in its place."""
        for start in range(0, len(rows), RESULTS_A_PIECE):
            some = rows[start : start + RESULTS_A_PIECE]
            found = await self._threads.run(told, customer_id, [each for each in some if isinstance(each, int)])
            yield "".join([each if isinstance(each, str) else _result(each, found) for each in some])

    async def balance(self, _asked: Asked, caller: Caller) -> Pieces:
        """HK$ available."""
        return (element("available", hkd(await self._threads.run(_available, caller.customer.id))),)

    async def queue(self, _asked: Asked, caller: Caller) -> Pieces:
        """This customer's messages that wait their turn."""
        return (element("waiting", await self._threads.run(queue_length, caller.customer.id)),)

    async def cancel(self, asked: Asked, caller: Caller) -> Pieces:
        """How many messages of a batch never go out."""
        batch_id = asked.values["batchId"].strip()
        if not _ID.fullmatch(batch_id):
            raise Refused(Reason.NO_SUCH_BATCH, "batchId", batch_id)
        act = cancel if asked.values.get("evenIfLate", "").strip() in TRUE else delete
        count = await self._threads.run(
            act, int(batch_id), datetime.now(UTC), customer_id=caller.customer.id, person_id=caller.person_id
        )
        return (element("cancelled", count),)

    async def replies(self, asked: Asked, caller: Caller) -> Pieces:
        """Replies after the last one that the client knows, oldest first, and which one to say next time."""
        values = asked.values
        after = _cursor(values.get("afterId", "").strip())
        which = replies.Asked(number=values.get("number", "").strip(), keyword=fold(values.get("keyword", "")))
        most = int(values.get("most") or USUAL_REPLIES)
        if not 1 <= most <= MOST_REPLIES:
            raise Malformed("NotValid", f"most is 1 to {MOST_REPLIES:,}")
        found = await self._threads.run(replies.following, caller.customer.id, which, after=after, most=most)
        told = "".join([_reply(each) for each in found])
        return f"<replies>{told}</replies>", element("lastId", found[-1].id if found else after)


def _mobiles(_conn: Connection, given: Iterable[str]) -> list[int | NotAMobile]:
    """Each as a mobile number, or as what is wrong with it."""
    read: list[int | NotAMobile] = []
    for each in given:
        try:
            read.append(parse_international(each))
        except NotAMobile as flaw:
            read.append(flaw.with_traceback(None))
    return read


def draft_of(values: Values, mobiles: list[int], caller: Caller) -> Draft:
    """What SendSms asks for. Raises Refused(BAD_TIME)."""
    purpose, register, validity = values.get("purpose"), values.get("dncr"), values.get("validityMinutes")
    return Draft(
        customer=caller.customer,
        person_id=caller.person_id,
        source=Source.SOAP,
        recipients=mobiles,
        text=values["text"],
        sender=values.get("sender", "").strip(),
        route=values.get("route", "").strip(),
        coding=CODINGS[values["coding"]] if "coding" in values else None,
        purpose=Purpose[purpose.upper()] if purpose else None,
        scheduled_at=_moment(values["scheduledAt"]) if "scheduledAt" in values else None,
        validity_minutes=int(validity) if validity else None,
        register_filter=None if register is None else register.strip() in TRUE,
        client_reference=values.get("clientRef", ""),
        name=values.get("name", ""),
    )


def _moment(value: str) -> datetime:
    """xs:dateTime; without an offset in Hong Kong. Raises Refused(BAD_TIME) for years that no calendar here has."""
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=HONG_KONG)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(Reason.BAD_TIME, "scheduledAt", value) from None


def _refused(flaw: NotAMobile) -> str:
    """A recipient that is none (spec S71: 1/302); it has no message and costs nothing."""
    return (
        f"<result>{element('recipient', flaw.value)}<status>{Status.UPLOAD_FAILED.value}</status>"
        f"<reason>{flaw.reason.shown}</reason><code>{code_of(flaw.reason)}</code>"
        f"<words>{text(flaw.flaw.words)}</words></result>"
    )


def _result(message_id: int, found: Mapping[int, Told]) -> str:
    message = found.get(message_id)
    return _unknown(str(message_id)) if message is None else result(message)


def _unknown(message_id: str) -> str:
    reason = Reason.UNKNOWN_MESSAGE
    return (
        f"<result>{element('messageId', message_id)}<code>{code_of(reason)}</code>"
        f"<words>{text(reason.words)}</words></result>"
    )


def _cursor(value: str) -> int:
    if value and not _ID.fullmatch(value):
        raise Malformed("NotValid", "afterId is the lastId of a response, or is left out")
    return int(value or 0)


def _reply(reply: ReplyFacts) -> str:
    return (
        f"<reply>{element('id', reply.id)}{element('receivedAt', reply.received_at.isoformat())}"
        f"{element('handset', reply.handset)}{element('number', reply.number)}{element('keyword', reply.keyword)}"
        f"<text>{text(reply.text)}</text>{element('messageId', reply.message_id)}"
        f"<unsubscribed>{str(reply.unsubscribed).lower()}</unsubscribed></reply>"
    )


def _available(conn: Connection, customer_id: int) -> int:
    return ledger.balances(conn, [customer_id])[customer_id, Account.Kind.AVAILABLE]
