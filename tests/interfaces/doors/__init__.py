"""Every door as the tests see it: a request in nobody's words goes in, the door's own answer comes out.

A door is one module here with a `DOOR`; nothing else needs to know of it but docs/api/reasons.md (page.py writes it).
What a door gives back is the same at each (tests/interfaces/test_every_door.py); only how it says so is its own.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, fields
from datetime import datetime

from sampan.composing.alphabet import Coding
from sampan.messages.tables import Purpose, Source
from sampan.reasons import Reason
from tests.world import PASSWORD, SENDER


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody wants sent. A field that differs from the usual must be one the door has a way to say."""

    login_name: str = "harbour"
    secret: str = PASSWORD
    recipients: tuple[str, ...] = ("85261234567",)
    text: str = "Your roses are ready"
    fields: tuple[Mapping[str, str], ...] = ()  # a row of them for each recipient, where the text is a template
    sender: str = SENDER
    economic: bool = False  # by the economic route, with no sender ID (spec S40)
    route: str = ""  # another route's code
    purpose: Purpose | None = None
    scheduled_at: datetime | None = None
    validity_minutes: int | None = None
    register_filter: bool | None = None
    client_reference: str = ""
    coding: Coding | None = None  # forced

    @property
    def unusual(self) -> set[str]:
        """The names of the fields that differ from the usual."""
        return {each.name for each in fields(self) if getattr(self, each.name) != each.default}


@dataclass(frozen=True)
class Answer:
    """What a door said. `refusal` is its own word for a refusal of the whole; "" where it was accepted."""

    refusal: str = ""
    ids: tuple[int, ...] = ()  # the SMSD IDs that it told
    refused: Mapping[str, str] = field(default_factory=dict)  # recipient → its own word, where only this one was


Send = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way in, and what its clients can say and hear."""

    name: str  # as the table has it
    source: Source
    open: Callable[[], AbstractAsyncContextManager[Send]]  # open within the block, on this process's database
    words: Mapping[Reason, str]  # what it says for each Reason
    row_words: Mapping[Reason, str] | None = None  # and where only one recipient is left out, if otherwise
    says: frozenset[str]  # which fields of Request it has a way to say, beyond EVERYBODY_SAYS
    most_recipients: int  # of one request
    all_or_nothing_to: int = 0  # up to so many recipients one that cannot be served refuses the whole
    reads_typed_numbers: bool = False  # as people write them: 8 digits are a Hong Kong number
    never: frozenset[Reason] = frozenset()  # no request of its kind can be wrong in this way
    otherwise: frozenset[str] = frozenset()  # cases that it means otherwise

    def can_say(self, request: Request) -> bool:
        """Whether a client of this door can ask for that."""
        return request.unusual <= self.says | EVERYBODY_SAYS


EVERYBODY_SAYS = frozenset({"login_name", "secret", "recipients", "text", "sender", "economic"})


def all_doors() -> list[Door]:
    """Each that has a module here, by name."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return sorted((module.DOOR for module in modules if hasattr(module, "DOOR")), key=lambda door: door.source)
