"""`sampan batch` and `sampan sending`: pause, resume, cancel, release; and hold the whole platform."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sampan.database import Connection, connect
from sampan.messages import batches
from sampan.messages.announcing import announce
from sampan.messages.holding import hold_sending, is_sending_held
from sampan.messages.planning import THIS_PLATFORM, terms_in_force
from sampan.ops.cli import Answer, VerbRefused
from sampan.reasons import Refused


def _answer(arguments: argparse.Namespace, did: str, messages: int | None = None) -> Answer:
    facts = {"batch": arguments.batch, "did": did, "messages": messages}
    return Answer(
        facts, [f"Batch {arguments.batch} {did}" + (f", messages: {messages}" if messages is not None else "")]
    )


@contextmanager
def _connected() -> Iterator[Connection]:
    """What is refused here is refused to the command line."""
    try:
        with connect("command line", by_key=True) as conn:
            yield conn
    except Refused as refused:
        raise VerbRefused(str(refused)) from refused


def pause(arguments: argparse.Namespace) -> Answer:
    """It keeps its hold."""
    with _connected() as conn:
        return _answer(arguments, "paused", batches.pause(conn, arguments.batch, datetime.now(UTC)))


def resume(arguments: argparse.Namespace) -> Answer:
    """Where it stood."""
    with _connected() as conn:
        terms = terms_in_force(conn, THIS_PLATFORM)
        announce(conn, batches.resume(conn, arguments.batch, terms, datetime.now(UTC)))
    return _answer(arguments, "resumed")


def cancel(arguments: argparse.Namespace) -> Answer:
    """What an operator has is not called back."""
    with _connected() as conn:
        return _answer(arguments, "cancelled", batches.cancel(conn, arguments.batch, datetime.now(UTC)))


def release(arguments: argparse.Namespace) -> Answer:
    """It starts within a second, with everything asked again."""
    with _connected() as conn:
        terms = terms_in_force(conn, THIS_PLATFORM)
        announce(conn, batches.release(conn, arguments.batch, terms, datetime.now(UTC)))
    return _answer(arguments, "released")


def hold(arguments: argparse.Namespace) -> Answer:
    """Nothing is handed over until `sampan sending release`."""
    with _connected() as conn:
        hold_sending(conn, held=True, words=arguments.why, now=datetime.now(UTC))
    return Answer({"sending_held": True}, ["Sending is held"])


def release_all(_arguments: argparse.Namespace) -> Answer:
    """What waits goes on."""
    with _connected() as conn:
        hold_sending(conn, held=False, words="", now=datetime.now(UTC))
    return Answer({"sending_held": False}, ["Sending goes on"])


def show(_arguments: argparse.Namespace) -> Answer:
    """Whether anything is handed over."""
    with _connected() as conn:
        held = is_sending_held(conn)
    return Answer({"sending_held": held}, ["Sending is held" if held else "Sending goes on"])
