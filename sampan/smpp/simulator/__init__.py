"""An SMSC to test against: a real SMPP 3.4 server whose behaviour goes by the destination's number (`behaviours`), and
whose lines go bad on demand (`faults`).

It knows nothing of what sends to it; where it checks (lengths, headers, times) it checks by its own means. `smsc` takes
submits, `answers` answers those that are not simply answered, `line` is a session that can go bad, `receipts` says what
became of messages and `outbox` sees it through, `journal` and `record` remember, `control` lets tests look and change,
`process` runs it.
"""

from sampan.smpp.simulator.behaviours import BEHAVIOURS, ERRORS, NUMBERS, Behaviour, Step
from sampan.smpp.simulator.settings import SimulatorSettings
from sampan.smpp.simulator.smsc import Simulator

__all__ = [
    "BEHAVIOURS",
    "ERRORS",
    "NUMBERS",
    "Behaviour",
    "Simulator",
    "SimulatorSettings",
    "Step",
]
