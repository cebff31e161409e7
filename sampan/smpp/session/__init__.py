"""What both sides of an SMPP session do (SMPP 3.4 §2).

A session lives in one event loop and calls its owner from there, with lists: whatever one read brought. Nothing that a
peer sends and no fault of an owner outlives the session: it is logged, counted, and that one session closes.

Writes wait here, not in the transport, while the peer does not read. So when a connection dies it is known which
requests were never written: those are *unsent*. Any other without an answer is *unanswered*: its outcome is unknown
(spec S76).
"""

from sampan.smpp.session.session import Session
from sampan.smpp.session.terms import (
    STATE_AFTER,
    Answer,
    CommandRefused,
    Counts,
    Limits,
    Numbered,
    SessionClosed,
    State,
    WindowFull,
    status_name,
)

__all__ = [
    "STATE_AFTER",
    "Answer",
    "CommandRefused",
    "Counts",
    "Limits",
    "Numbered",
    "Session",
    "SessionClosed",
    "State",
    "WindowFull",
    "status_name",
]
