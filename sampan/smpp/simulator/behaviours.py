"""What becomes of a message, by its destination: the simulator's table, as data.

| destination | behaviour            | what it does                                                            | `err` |
| ----------- | -------------------- | ----------------------------------------------------------------------- | ----- |
| 85251000000 | delivered            | delivered after 0.2 s, as every number that is not in this table        | 000   |
| 85251000001 | unknown-subscriber   | UNDELIV                                                                 | 001   |
| 85251000002 | phone-off            | ENROUTE, and EXPIRED at the end of its validity                         | 027   |
| 85251000003 | phone-on-again       | ENROUTE, and delivered after 3 s                                        | 027   |
| 85251000004 | inbox-full           | UNDELIV                                                                 | 032   |
| 85251000005 | refused              | submit_sm is refused: ESME_RINVDSTADR                                   |       |
| 85251000006 | throttled            | twice ESME_RTHROTTLED for each text, then delivered                     | 000   |
| 85251000007 | no-answer            | submit_sm is never answered                                             |       |
| 85251000008 | receipt-first        | the receipt comes before the answer                                     | 000   |
| 85251000009 | receipt-twice-in-hex | the receipt comes twice, its id in hex where the answer was decimal     | 000   |
| 85251000010 | network-unsupported  | UNDELIV                                                                 | 021   |
| 85251000011 | blocked              | UNDELIV                                                                 | 013   |
| 85251000012 | operator-fault       | UNDELIV                                                                 | 034   |
| 85251000013 | no-receipt           | delivered, but no receipt ever; query_sm knows                          |       |
| 85251000014 | late-answer          | answered after 5 s, then delivered                                      | 000   |

Hours pass faster for phone-off, phone-on-again, no-receipt, late-answer and every validity: by `time_scale`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec

from sampan.smpp.pdu import Status

FIRST_NUMBER = 85251000000
LONGEST_WAIT_S = 7 * 86400
MOST_STEPS = 20
MOST_COPIES = 20

# `err` in receipts, also the code of network_error_code: the error codes of 3GPP 29.002 §17.6.6 in decimal. To the
# reasons of spec S72, for a dialect.
ERRORS: Mapping[str, int] = MappingProxyType(
    {"001": 303, "013": 312, "021": 306, "027": 304, "032": 305, "034": 315},
)

Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_WAIT_S)]
Copies = Annotated[int, msgspec.Meta(ge=1, le=MOST_COPIES)]
State = Literal["ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
IdForm = Literal["decimal", "hex", "unknown"]  # unknown: an id that was never given
# What is written for an answer: itself; nothing; itself twice; itself under the sequence number before its own, or
# under nobody's; octets that are no PDU, and it; its header and garbage; a header that claims 2 GiB; its first half,
# and the end of the connection; a request nobody knows, and it.
AnswerForm = Literal[
    "right",
    "none",
    "twice",
    "previous-number",
    "unknown-number",
    "garbage-before",
    "garbage-inside",
    "endless",
    "cut-short",
    "unknown-command",
]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a message after it was taken: its new state, and the receipt that says so."""

    state: State
    after_s: Seconds = 0.2
    at_expiry: bool = False  # when its validity ends, and not `after_s`
    error: Annotated[str, msgspec.Meta(pattern="^[0-9]{3}$")] = "000"
    id: IdForm = "decimal"
    silent: bool = False  # no receipt
    receipt_only: bool = False  # the receipt says so, and it is not true
    receipt_after_s: Seconds = 0.0  # from the turn to its receipt
    copies: Copies = 1  # how often the receipt comes
    elsewhere: bool = False  # on another session of the account, where there is one
    garbled: bool = False  # a deliver_sm whose body is garbage


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of messages to one number."""

    name: str
    steps: Annotated[tuple[Step, ...], msgspec.Meta(max_length=MOST_STEPS)] = ()
    status: int = Status.ESME_ROK  # the answer to submit_sm
    refuse_first: Annotated[tuple[int, ...], msgspec.Meta(max_length=MOST_STEPS)] = ()  # the first tries of each text
    answer_after_s: Seconds | None = 0.0  # None: never; it stays in the SMSC's window
    answer_form: AnswerForm = "right"
    scaled: bool = False  # whether its times pass faster by `time_scale`

    def unscaled(self, time_scale: float) -> "Behaviour":
        """The same with its times as they pass."""
        if not self.scaled:
            return self
        return msgspec.structs.replace(
            self,
            steps=tuple(msgspec.structs.replace(step, after_s=step.after_s / time_scale) for step in self.steps),
            answer_after_s=self.answer_after_s and self.answer_after_s / time_scale,  # 0 and None stay
            scaled=False,
        )


DELIVERED = Step("DELIVRD")
ABSENT = Step("ENROUTE", error="027")

_IN_ORDER_OF_NUMBERS = (
    Behaviour("delivered", (DELIVERED,)),
    Behaviour("unknown-subscriber", (Step("UNDELIV", error="001"),)),
    Behaviour("phone-off", (ABSENT, Step("EXPIRED", at_expiry=True, error="027")), scaled=True),
    Behaviour("phone-on-again", (ABSENT, Step("DELIVRD", after_s=3)), scaled=True),
    Behaviour("inbox-full", (Step("UNDELIV", error="032"),)),
    Behaviour("refused", status=Status.ESME_RINVDSTADR),
    Behaviour("throttled", (DELIVERED,), refuse_first=(Status.ESME_RTHROTTLED, Status.ESME_RTHROTTLED)),
    Behaviour("no-answer", answer_after_s=None),
    Behaviour("receipt-first", (Step("DELIVRD", after_s=0),), answer_after_s=0.2),
    Behaviour("receipt-twice-in-hex", (Step("DELIVRD", id="hex"), Step("DELIVRD", 0.3, id="hex"))),
    Behaviour("network-unsupported", (Step("UNDELIV", error="021"),)),
    Behaviour("blocked", (Step("UNDELIV", error="013"),)),
    Behaviour("operator-fault", (Step("UNDELIV", error="034"),)),
    Behaviour("no-receipt", (Step("DELIVRD", silent=True),), scaled=True),
    Behaviour("late-answer", (Step("DELIVRD", after_s=5.2),), answer_after_s=5, scaled=True),
)
BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType({each.name: each for each in _IN_ORDER_OF_NUMBERS})
NUMBERS: Mapping[str, Behaviour] = MappingProxyType(
    {str(FIRST_NUMBER + nn): each for nn, each in enumerate(_IN_ORDER_OF_NUMBERS)}
)


def behaviour_with(name: str, changes: Mapping[str, Any]) -> Behaviour:
    """A behaviour of the table with some of its fields changed. ValueError says what is wrong."""
    if name not in BEHAVIOURS:
        raise ValueError(f"there is no behaviour {name!r}; there are {', '.join(BEHAVIOURS)}")
    try:
        return msgspec.convert(msgspec.to_builtins(BEHAVIOURS[name]) | dict(changes), Behaviour)
    except msgspec.ValidationError as error:
        raise ValueError(f"a behaviour cannot be changed so: {error}") from None


class Rules:
    """Which behaviour a destination meets: its own, else the longest beginning's, else the table's, else `*`'s."""

    def __init__(self) -> None:
        self._numbers: dict[str, Behaviour] = {}
        self._beginnings: dict[str, Behaviour] = {}
        self._table: dict[str, Behaviour] = dict(NUMBERS)
        self._others = BEHAVIOURS["delivered"]

    def find(self, destination: str) -> Behaviour:
        """The behaviour this destination meets."""
        if found := self._numbers.get(destination):
            return found
        for beginning in self._beginnings:
            if destination.startswith(beginning):
                return self._beginnings[beginning]
        return self._table.get(destination, self._others)

    def set(self, numbers: str, behaviour: Behaviour | None) -> None:
        """For one number, for `8525*`, or for `*`, which is all that have no rule of their own; None takes it back.

        ValueError where `numbers` is none of these.
        """
        bare = numbers.removesuffix("*")
        if numbers == "*":
            self._table = {} if behaviour else dict(NUMBERS)
            self._others = behaviour or BEHAVIOURS["delivered"]
            return
        if not (bare.isascii() and bare.isdigit()):
            raise ValueError(f"{numbers!r} is no number, no beginning such as 8525*, and not *")
        rules = self._beginnings if numbers != bare else self._numbers
        rules.pop(bare, None)
        if behaviour is not None:
            rules[bare] = behaviour
        self._beginnings = dict(sorted(self._beginnings.items(), key=lambda rule: -len(rule[0])))

    def as_list(self) -> list[tuple[str, Behaviour]]:
        """Every rule in force, in the order it is looked up."""
        return [
            *self._numbers.items(),
            *((f"{beginning}*", behaviour) for beginning, behaviour in self._beginnings.items()),
            *self._table.items(),
            ("*", self._others),
        ]
