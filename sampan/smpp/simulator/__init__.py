"""An SMSC to test against: a real SMPP 3.4 server whose behaviour goes by the destination's number (`behaviours`).

It knows nothing of what sends to it; where it checks (lengths, headers, times) it checks by its own means. `smsc` takes
submits and sends receipts, `outbox` sees them through, `journal` and `record` remember, `control` lets tests look and
change, `process` runs it.
"""

from sampan.smpp.simulator.behaviours import BEHAVIOURS, ERRORS, NUMBERS, Behaviour, Step
from sampan.smpp.simulator.smsc import Simulator, SimulatorSettings

__all__ = [
    "BEHAVIOURS",
    "ERRORS",
    "NUMBERS",
    "Behaviour",
    "Simulator",
    "SimulatorSettings",
    "Step",
]
