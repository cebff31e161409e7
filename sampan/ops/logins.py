"""The logins an installation makes for itself: the simulator's account and the demo's people. No Django here."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sampan.ops.private import write_private

SIMULATOR_SYSTEM_ID = "sampan"
SIMULATOR_PASSWORD_CHARACTERS = 8  # SMPP has no longer ones

Logins = Mapping[str, Mapping[str, str]]


def simulator_account(secret: str) -> tuple[str, str]:
    """The system_id and password that the simulator knows, the same for each start of an installation."""
    digest = hmac.new(secret.encode(), b"simulator", hashlib.sha256).hexdigest()
    return SIMULATOR_SYSTEM_ID, digest[:SIMULATOR_PASSWORD_CHARACTERS]


def write_demo(folder: Path, logins: Logins) -> None:
    """Keep the demo's passwords for the owner of the data folder alone; the database has only their hashes."""
    write_private(folder / "demo.json", json.dumps(logins, indent=2) + "\n")


def read_demo(folder: Path) -> dict[str, Any] | None:
    """The demo's logins by who they are; None where there is no demo."""
    try:
        demo: dict[str, Any] = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return demo
