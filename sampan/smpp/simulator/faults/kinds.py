"""The kinds of faults: each has its name (`fault`), its fields, and those all have, which say where and when.

Most are another behaviour of the submits they hit. The rest happen to the line itself: `refuse-binds`, `slow-reader`,
and the ways a session ends (`Ending`).
"""

from random import Random
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sampan.smpp.pdu import Status
from sampan.smpp.simulator.behaviours import AnswerForm, Behaviour, Copies, Seconds, Step

MOST_FAULTS = 100  # in force at once
MOST_COUNTED = 1_000_000_000
BEFORE_THE_ANSWER_S = 0.2  # so much earlier does a receipt come that comes first
BETWEEN_REVERSED_S = 0.2
INTERMEDIATE = frozenset({"ENROUTE", "ACCEPTD"})

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST_COUNTED)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=MOST_COUNTED)]
Probability = Annotated[float, msgspec.Meta(gt=0, le=1)]
Rate = Annotated[float, msgspec.Meta(ge=0.01, le=1_000_000)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="fault"):
    """What all faults have. An occasion is a submit_sm on a session it is meant for (a bind, for `refuse-binds`)."""

    system_id: str | None = None  # only on sessions of this account
    session: Positive | None = None  # only on this session
    after_submits: Count | UnsetType = UNSET  # so many occasions pass first
    after_s: Seconds | UnsetType = UNSET  # and so much time
    for_s: Seconds | None = None  # from then on; None: until it is taken back
    probability: Probability = 1.0  # at each occasion
    times: Positive | None = None  # then it is over; None: it stands

    @property
    def at_a_moment(self) -> bool:
        """Whether it happens by itself at a moment, and waits for no submit."""
        return False

    def change(self, behaviour: Behaviour, _: Random) -> Behaviour:
        """What a submit meets that is hit, instead of what its number would have brought it (unscaled)."""
        return behaviour


class RefuseBinds(Fault, frozen=True, kw_only=True, tag="refuse-binds"):
    """Nobody may bind."""

    status: Literal["ESME_RBINDFAIL", "ESME_RINVPASWD", "ESME_RINVSYSID", "ESME_RSYSERR", "ESME_RALYBND"] = (
        "ESME_RBINDFAIL"
    )

    def __post_init__(self) -> None:
        if self.session is not None:
            raise ValueError("a bind has no session yet: leave `session` out")


class Throttle(Fault, frozen=True, kw_only=True, tag="throttle"):
    """Submits are refused for now: all, or those beyond a rate (with one second's worth at once)."""

    status: Literal["ESME_RTHROTTLED", "ESME_RMSGQFUL"] = "ESME_RTHROTTLED"
    most_submits_per_s: Rate | None = None

    def change(self, behaviour: Behaviour, _: Random) -> Behaviour:
        """Refused."""
        return replace(behaviour, status=Status[self.status])


class SlowAnswers(Fault, frozen=True, kw_only=True, tag="slow-answers"):
    """Answers come later; with jitter also in another order."""

    latency_s: Seconds
    jitter_s: Seconds = 0.0

    def change(self, behaviour: Behaviour, chance: Random) -> Behaviour:
        """Answered later."""
        if behaviour.answer_after_s is None:
            return behaviour
        later_s = self.latency_s + chance.random() * self.jitter_s
        return replace(behaviour, answer_after_s=behaviour.answer_after_s + later_s)


class LostAnswers(Fault, frozen=True, kw_only=True, tag="lost-answers"):
    """Submits are taken and never answered."""

    def change(self, behaviour: Behaviour, _: Random) -> Behaviour:
        """Not answered."""
        return replace(behaviour, answer_form="none")


class SpoiltAnswers(Fault, frozen=True, kw_only=True, tag="spoilt-answers"):
    """Answers are not what they should be."""

    form: AnswerForm

    def change(self, behaviour: Behaviour, _: Random) -> Behaviour:
        """Answered so."""
        return replace(behaviour, answer_form=self.form)


class Ending(Fault, frozen=True, kw_only=True):
    """A session ends: once, if nothing else is said, and in the middle of its window.

    With `after_s` and without `after_submits` it does so by itself, at that moment.
    """

    times: Positive | None = 1
    unanswered: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 1  # so many submits are taken before and not answered
    within_s: Seconds = 1.0  # it waits no longer for them

    @property
    def at_a_moment(self) -> bool:
        """Whether it happens by itself at a moment, and waits for no submit."""
        return self.after_s is not UNSET and self.after_submits is UNSET


class Unbind(Ending, frozen=True, kw_only=True, tag="unbind"):
    """The SMSC unbinds."""


class Close(Ending, frozen=True, kw_only=True, tag="close"):
    """The connection ends without an unbind."""


class Reset(Ending, frozen=True, kw_only=True, tag="reset"):
    """The connection is reset (RST)."""


class HalfOpen(Ending, frozen=True, kw_only=True, tag="half-open"):
    """The SMSC neither reads nor writes any more, and the connection stays; until it is cut in the end."""

    hold_s: Seconds = 120.0


class SlowReader(Fault, frozen=True, kw_only=True, tag="slow-reader"):
    """The SMSC reads so little from a session, from its next submit on, that what is written there backs up."""

    octets_per_s: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 1000


class _OfReceipts(Fault, frozen=True, kw_only=True):
    """A fault of the receipts of the messages it hits: other steps."""

    def change(self, behaviour: Behaviour, chance: Random) -> Behaviour:
        """With other steps."""
        steps = [other for step in behaviour.steps for other in self.changed(step, chance)]
        return replace(behaviour, steps=tuple(steps))

    def changed(self, step: Step, _: Random) -> list[Step]:
        """What stands instead of this step."""
        return [step]


class SlowReceipts(_OfReceipts, frozen=True, kw_only=True, tag="slow-receipts"):
    """Receipts come later; with jitter also in another order."""

    latency_s: Seconds
    jitter_s: Seconds = 0.0

    def changed(self, step: Step, chance: Random) -> list[Step]:
        """Told of later."""
        later_s = self.latency_s + chance.random() * self.jitter_s
        return [replace(step, receipt_after_s=step.receipt_after_s + later_s)]


class DuplicateReceipts(_OfReceipts, frozen=True, kw_only=True, tag="duplicate-receipts"):
    """Each receipt comes several times."""

    copies: Copies = 2

    def changed(self, step: Step, _: Random) -> list[Step]:
        """Told of more often."""
        return [replace(step, copies=self.copies)]


class ReorderedReceipts(Fault, frozen=True, kw_only=True, tag="reordered-receipts"):
    """Of a message that has several, the final receipt comes first. (Those at the end of a validity stay.)"""

    def change(self, behaviour: Behaviour, _: Random) -> Behaviour:
        """With its steps told of in the reverse order."""
        timed = [place for place, step in enumerate(behaviour.steps) if not step.at_expiry]
        last_s = max((behaviour.steps[place].after_s for place in timed), default=0.0)
        steps = list(behaviour.steps)
        for reversed_place, place in enumerate(reversed(timed)):
            later_s = last_s - steps[place].after_s + reversed_place * BETWEEN_REVERSED_S
            steps[place] = replace(steps[place], receipt_after_s=later_s)
        return replace(behaviour, steps=tuple(steps))


class ReceiptsFirst(Fault, frozen=True, kw_only=True, tag="receipts-first"):
    """The answer waits until the message's first receipt is gone. (One at the end of a validity is not waited for.)"""

    def change(self, behaviour: Behaviour, _: Random) -> Behaviour:
        """Answered after its first receipt."""
        told = [step for step in behaviour.steps if not (step.silent or step.at_expiry)]
        if behaviour.answer_after_s is None or not told:
            return behaviour
        first_s = min(step.after_s + step.receipt_after_s for step in told)
        return replace(behaviour, answer_after_s=max(behaviour.answer_after_s, first_s + BEFORE_THE_ANSWER_S))


class ReceiptsElsewhere(_OfReceipts, frozen=True, kw_only=True, tag="receipts-elsewhere"):
    """Receipts come by another session of the account than the submit, where there is one."""

    def changed(self, step: Step, _: Random) -> list[Step]:
        """Told of elsewhere."""
        return [replace(step, elsewhere=True)]


class StrayReceipts(_OfReceipts, frozen=True, kw_only=True, tag="stray-receipts"):
    """Beside each receipt comes one with an id that was never given."""

    def changed(self, step: Step, _: Random) -> list[Step]:
        """The step, and the stray."""
        return [step, replace(step, id="unknown", receipt_only=True)]


class ContradictoryReceipts(_OfReceipts, frozen=True, kw_only=True, tag="contradictory-receipts"):
    """After each final receipt comes another that says the opposite; the message's state stays."""

    gap_s: Seconds = 0.2

    def changed(self, step: Step, _: Random) -> list[Step]:
        """The step, and its opposite."""
        if step.state in INTERMEDIATE:
            return [step]
        state, error = ("UNDELIV", "034") if step.state == "DELIVRD" else ("DELIVRD", "000")
        later_s = step.receipt_after_s + self.gap_s
        return [step, replace(step, state=state, error=error, receipt_after_s=later_s, receipt_only=True)]


class GarbledReceipts(_OfReceipts, frozen=True, kw_only=True, tag="garbled-receipts"):
    """Before each receipt comes a deliver_sm whose body is garbage."""

    def changed(self, step: Step, _: Random) -> list[Step]:
        """The garbage, and the step."""
        return [replace(step, garbled=True, receipt_only=True), step]


AnyFault = (
    RefuseBinds
    | Throttle
    | SlowAnswers
    | LostAnswers
    | SpoiltAnswers
    | Unbind
    | Close
    | Reset
    | HalfOpen
    | SlowReader
    | SlowReceipts
    | DuplicateReceipts
    | ReorderedReceipts
    | ReceiptsFirst
    | ReceiptsElsewhere
    | StrayReceipts
    | ContradictoryReceipts
    | GarbledReceipts
)
KINDS = tuple(cast(str, kind.__struct_config__.tag) for kind in AnyFault.__args__)


class FaultSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All faults that shall be in force, and what their chances are drawn from."""

    faults: Annotated[tuple[AnyFault, ...], msgspec.Meta(max_length=MOST_FAULTS)]
    seed: int | None = None


def read_faults(octets: bytes) -> FaultSet:
    """A set of faults from its JSON. ValueError says what is wrong."""
    try:
        return msgspec.json.decode(octets, type=FaultSet)
    except msgspec.ValidationError as error:
        kinds = f"; there are {', '.join(KINDS)}" if "fault`" in str(error) else ""
        raise ValueError(f"these faults cannot be: {error}{kinds}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the body cannot be read: {error}") from None


def as_json(fault: Fault) -> dict[str, Any]:
    """A fault as it is put."""
    return cast(dict[str, Any], msgspec.to_builtins(fault))
