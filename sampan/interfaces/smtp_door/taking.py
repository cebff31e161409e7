"""From a mail that is proven to the intake of the process, and what became of it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from sampan.accounts.customers import CustomerFacts
from sampan.database import Connection, DatabaseThreads
from sampan.interfaces.smtp_door.options import Options, read_options
from sampan.interfaces.smtp_door.portions import Portion, portions_of
from sampan.interfaces.smtp_door.reading import Body, Heading
from sampan.interfaces.smtp_door.words import PASSING
from sampan.messages.intake import Intake
from sampan.messages.planning import Draft
from sampan.messages.recipients import BadRow, in_text
from sampan.messages.submit import Accepted, Outcome
from sampan.messages.tables import Source
from sampan.reasons import Reason, Refused
from sampan.routing.directory import ECONOMIC_ROUTE

MOST_RECIPIENTS = 10_000  # of one mail, those of its list counted
ECONOMIC_SENDER = "RANDOMID"  # as at the HTTP API (spec S40)
_LIST_LINE = re.compile(r"\s*(?:To|收件人)\s*[:：]\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Writer:
    """Who has proven to be the mail's writer; `language` is that of the answer, "" where none is wanted."""

    person_id: int
    customer: CustomerFacts
    answer_to: str = ""
    language: str = ""


@dataclass(frozen=True)
class Taken:
    """What became of a mail: the outcome of each portion, and the rows of its list that are no mobile numbers."""

    outcomes: list[tuple[Portion, Outcome]]
    bad: Sequence[BadRow] = ()
    scheduled_at: datetime | None = None

    @property
    def message_ids(self) -> list[int]:
        """Of all that was accepted."""
        return [id_ for _, outcome in self.outcomes if isinstance(outcome, Accepted) for id_ in outcome.message_ids]


def list_in(text: str) -> tuple[list[int], list[BadRow], str]:
    """The numbers of the first lines, from `To:` to the first empty line; the bad ones; and the text below it."""
    lines = text.split("\n")
    if not _LIST_LINE.fullmatch(lines[0]):
        return [], [], text
    end = lines.index("") if "" in lines else len(lines)
    rows = [match[1] if (match := _LIST_LINE.fullmatch(line)) else line for line in lines[:end]]
    found = in_text("\n".join(rows))
    return found.numbers, found.bad, "\n".join(lines[end:]).strip("\n")


class Taking:
    """Of one process. Made on its event loop."""

    def __init__(self, intake: Intake, threads: DatabaseThreads, clock: Callable[[], datetime]) -> None:
        self._intake = intake
        self._threads = threads
        self._clock = clock

    async def take(
        self, heading: Heading, body: Body, writer: Writer, numbers: Sequence[int], *, has_list: bool
    ) -> Taken:
        """Submit a mail to these numbers, and with `has_list` to those in its first lines.

        Raises Refused where nothing of it could be asked, and where it may be taken a moment later.
        """
        options = read_options(heading.subject, writer.customer.zone)
        listed, bad, text = list_in(body.text) if has_list else ([], [], body.text)
        recipients = list(dict.fromkeys([*numbers, *listed]))
        if not recipients:
            raise Refused(Reason.NO_RECIPIENT, "recipients", bad[0].flaw.words if bad else "")
        if len(recipients) > MOST_RECIPIENTS:
            raise Refused(Reason.TOO_MANY_RECIPIENTS, "recipients", str(len(recipients)))
        draft = await self._threads.run(_draft, writer, options, text or options.rest)
        portions = await self._threads.run(portions_of, writer.customer.id, heading.name, recipients, self._clock())
        outcomes = [(portion, await self._intake.submit(_for(draft, portion))) for portion in portions]
        for _, outcome in outcomes:
            if isinstance(outcome, Refused) and outcome.reason in PASSING:
                raise outcome
        return Taken(outcomes, bad, options.scheduled_at)


def _for(draft: Draft, portion: Portion) -> Draft:
    return msgspec.structs.replace(
        draft,
        recipients=portion.recipients,
        client_reference=portion.reference,
        all_or_nothing=len(portion.recipients) == 1,
    )


OLDEST_SENDER = """
    SELECT text FROM sender_id WHERE customer_id = %s AND withdrawn_at IS NULL ORDER BY created_at, id LIMIT 1"""


def _draft(conn: Connection, writer: Writer, options: Options, text: str) -> Draft:
    """All but its recipients. Unless it says otherwise it goes from the account's oldest sender ID."""
    shows_none = options.sender.upper() == ECONOMIC_SENDER
    route = ECONOMIC_ROUTE if shows_none and not options.route else options.route
    sender = "" if shows_none else options.sender
    if not sender and route != ECONOMIC_ROUTE:
        row = conn.execute(OLDEST_SENDER, [writer.customer.id]).fetchone()
        sender = row[0] if row else ""
    return Draft(
        customer=writer.customer,
        person_id=writer.person_id,
        source=Source.SMTP,
        recipients=(),
        text=text,
        sender=sender,
        route=route,
        purpose=options.purpose,
        register_filter=options.register_filter,
        validity_minutes=options.validity_minutes,
        scheduled_at=options.scheduled_at,
    )
