"""Faults of a line, on demand: what can go wrong between an operator and us whatever the number (`kinds`), and which of
it happens when (`in_force`). What becomes of messages to certain numbers is `behaviours`.
"""

from sampan.smpp.simulator.faults.in_force import Armed, Faults
from sampan.smpp.simulator.faults.kinds import KINDS, Ending, Fault, FaultSet, SlowReader, read_faults

__all__ = ["KINDS", "Armed", "Ending", "Fault", "FaultSet", "Faults", "SlowReader", "read_faults"]
