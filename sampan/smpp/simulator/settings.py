"""How a simulator is set up."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SimulatorSettings:
    """How a simulator is set up. `accounts`: system_id to password; None: whoever comes may bind.

    `window`: submits of a session without an answer; beyond, ESME_RTHROTTLED. `receipt_window`: deliveries of ours.
    `seed`: what chances are drawn from; None: one that is drawn itself. `memory`: a file where what was taken
    outlives a kill (`memory.py`).
    """

    host: str = "127.0.0.1"
    port: int = 2775
    accounts: Mapping[str, str] | None = None
    system_id: str = "sampan-smsc"
    window: int = 1000
    receipt_window: int = 500
    time_scale: float = 1.0
    text_receipts: bool = True
    tlv_receipts: bool = True
    response_timeout_s: float = 30.0
    enquire_link_s: float | None = 30.0
    most_recorded: int = 1_000_000
    seed: int | None = None
    memory: Path | None = None
