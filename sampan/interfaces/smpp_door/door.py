"""The door itself: it lets logins in, answers their requests, and ends what must not go on; all on one event loop."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import structlog

from sampan.accounts.allow_lists import admit
from sampan.accounts.blocking import blocks, note_failure
from sampan.database import DatabaseThreads
from sampan.dispatch.throttle import Throttle
from sampan.interfaces.smpp_door import asking, joining, receipts
from sampan.interfaces.smpp_door.logins import Failures, Login, prove, still_allowed
from sampan.interfaces.smpp_door.submitting import Submitting
from sampan.interfaces.smpp_door.telling import Telling
from sampan.interfaces.smpp_door.words import NotServed, status_of
from sampan.messages.intake import Intake
from sampan.messages.planning import Platform
from sampan.reasons import Reason, Refused
from sampan.smpp.pdu import Bind, CancelSm, DataSm, QuerySm, Status, SubmitMulti, SubmitSm
from sampan.smpp.server import DoorSettings, Request, ServerSession
from sampan.smpp.session import Answer, Limits

DOOR = "SMPP"  # as staff see it among the blocked addresses
MOST_BINDS_OF_A_LOGIN = 10
CHECK_EVERY_S = 30.0
DATABASE_THREADS = 3
SETTINGS = DoorSettings(
    long_credentials=True,
    limits=Limits(window=50, enquire_link_s=60.0, most_requests=500),
    most_unbound_of_address=50,
    answers_before_unbind_s=3.0,
)

log = structlog.get_logger()


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class SmppDoor:
    """Owns the sessions of a server (`sampan.smpp.server`). Made on its event loop."""

    def __init__(self, platform: Platform, *, rate: int, clock: Callable[[], datetime] = utc_now) -> None:
        self._rate = rate  # messages a second of a customer
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._intake = Intake(platform, clock)
        self._threads = DatabaseThreads(DATABASE_THREADS, "smpp")
        self._submitting = Submitting(self._intake, self._threads, clock)
        self._telling = Telling(self._threads, clock, self._receivers, self._receivers_by_customer)
        self._failures = Failures()
        self._proven: WeakKeyDictionary[ServerSession, Login] = WeakKeyDictionary()
        self._bound: dict[ServerSession, Login] = {}
        self._throttles: dict[int, Throttle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = [self._loop.create_task(work()) for work in (self._telling.run, self._keep_order)]

    async def close(self) -> None:
        """Answer what is in hand, then let go of the database. The sessions are closed before."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, *self._tasks, return_exceptions=True)
        await self._intake.close()
        self._threads.close()

    # What the server tells.

    async def authenticate(self, session: ServerSession, bind: Bind) -> int:
        """ESME_ROK lets it in."""
        address, now, now_s = _address(session), self._clock(), self._loop.time()
        if self._failures.are_too_many(address, now_s) or await self._is_blocked(address, now):
            return Status.ESME_RBINDFAIL
        try:
            login, customer = await self._threads.run(prove, bind.system_id, bind.password)
            await admit(self._threads, customer, door=DOOR, address=address, now=now)
        except Refused as refused:
            if refused.reason == Reason.BAD_CREDENTIALS:
                self._failures.note(address, now_s)
                await self._threads.run(note_failure, bind.system_id, DOOR, address, now)
            log.info("smpp_door.refused", address=address, reason=refused.reason.name)
            return status_of(refused.reason)
        if Counter(each.person_id for each in self._bound.values())[login.person_id] >= MOST_BINDS_OF_A_LOGIN:
            return Status.ESME_RBINDFAIL
        self._proven[session] = login
        return Status.ESME_ROK

    async def _is_blocked(self, address: str, now: datetime) -> bool:
        blocked = blocks.current()
        if blocked is None:
            blocked = await self._threads.run(blocks.get)
        until = blocked.get(address)
        return until is not None and until > now

    def on_bound(self, session: ServerSession) -> None:
        """It may submit, be told receipts, or both."""
        login = self._bound[session] = self._proven[session]
        self._telling.wake()
        log.info("smpp_door.bound", customer=login.customer_id, person=login.person_id, state=session.state.words)

    def on_requests(self, session: ServerSession, requests: list[Request]) -> None:
        """Each is answered when what it asks is committed; those over the customer's rate at once."""
        login = self._bound[session]
        throttle = self._throttles.setdefault(login.customer_id, Throttle(self._rate, self._loop.time()))
        for request in requests:
            messages = _messages(request)
            if messages and throttle.available(self._loop.time()) < 1:
                session.respond([(request.sequence_number, Status.ESME_RTHROTTLED, "")])
                continue
            throttle.take(messages, self._loop.time())
            self._spawn(self._answer(session, login, request))

    def on_answers(self, session: ServerSession, answers: list[Answer]) -> None:  # noqa: ARG002
        """Receipts were acknowledged."""
        self._telling.answered(answers)

    def on_expired(self, session: ServerSession, tokens: list[Any]) -> None:  # noqa: ARG002
        """Receipts were not."""
        self._telling.undelivered(tokens)

    def on_closed(self, session: ServerSession, reason: str, undelivered: list[Any]) -> None:
        """It is gone; receipts it took along come again."""
        login = self._bound.pop(session)
        self._telling.undelivered(undelivered)
        if login.customer_id not in {each.customer_id for each in self._bound.values()}:
            self._throttles.pop(login.customer_id, None)
        log.info("smpp_door.closed", customer=login.customer_id, person=login.person_id, reason=reason)

    # Its work.

    def _receivers(self) -> dict[int, list[ServerSession]]:
        found: defaultdict[int, list[ServerSession]] = defaultdict(list)
        for session, login in self._bound.items():
            if session.state.may_deliver:
                found[login.person_id].append(session)
        return dict(found)

    def _receivers_by_customer(self) -> dict[int, list[ServerSession]]:
        found: defaultdict[int, list[ServerSession]] = defaultdict(list)
        for session, login in self._bound.items():
            if session.state.may_deliver:
                found[login.customer_id].append(session)
        return dict(found)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, session: ServerSession, login: Login, request: Request) -> None:
        number, body = request.sequence_number, request.body
        try:
            if isinstance(body, SubmitSm | DataSm):
                session.respond([(number, Status.ESME_ROK, str(await self._submitting.one(login, body)))])
            elif isinstance(body, SubmitMulti):
                session.respond_with(number, await self._submitting.many(login, body))
            elif isinstance(body, QuerySm):
                session.respond_with(number, await self._threads.run(asking.query, login, body))
            elif isinstance(body, CancelSm):
                await self._threads.run(asking.cancel, login, body, self._clock())
                session.respond([(number, Status.ESME_ROK, "")])
            else:
                session.respond([(number, Status.ESME_RREPLACEFAIL, "")])
        except Refused as refused:
            session.respond([(number, _status(body, refused.reason), "")])
        except NotServed as not_served:
            session.respond([(number, not_served.status, "")])
        except Exception as error:  # noqa: BLE001 - the task's top: the ESME gets its answer, the log the cause
            log.error("smpp_door.failed", work=type(body).__name__, error=repr(error))
            session.respond([(number, Status.ESME_RSYSERR, "")])

    async def _keep_order(self) -> None:
        """Now and then: who must not be bound any more is unbound, long texts that wait too long are ended."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                await self.keep_order()
            except psycopg.OperationalError as error:
                log.warning("smpp_door.database_away", error=str(error).strip())
            except Exception as error:  # noqa: BLE001 - the loop's top
                log.error("smpp_door.failed", work="keeping order", error=repr(error))

    async def keep_order(self) -> None:
        """Once."""
        bound = {session: (login, _address(session)) for session, login in self._bound.items()}
        good = await self._threads.run(still_allowed, bound.values())
        for session in [session for session, login_from in bound.items() if login_from not in good]:
            self._spawn(session.unbind())
        whole, lost = await self._threads.run(joining.waiting_too_long, self._clock())
        for text in whole:
            try:
                await self._submitting.finish(text)
            except Refused as refused:
                log.warning("smpp_door.late_text_refused", reason=refused.reason.name)
        for text in lost:
            await self._submitting.lose(text)
        await self._threads.run(receipts.forget_old, self._clock())
        await self._threads.run(joining.forget_old, self._clock())


def _address(session: ServerSession) -> str:
    """Where it came from, without its port."""
    return session.peer.rpartition(":")[0].strip("[]")


def _messages(request: Request) -> int:
    """How many a request asks for."""
    body = request.body
    if isinstance(body, SubmitMulti):
        return len(body.dest_addresses)
    return 1 if isinstance(body, SubmitSm | DataSm) else 0


def _status(body: object, reason: Reason) -> int:
    if isinstance(body, CancelSm) and reason != Reason.UNKNOWN_MESSAGE:
        return Status.ESME_RCANCELFAIL
    return status_of(reason)
