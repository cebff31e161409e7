"""The simulator as a process of its own."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import uvloop

from sampan.smpp.simulator.control import ControlServer
from sampan.smpp.simulator.settings import SimulatorSettings
from sampan.smpp.simulator.smsc import Simulator


def run(
    *,
    host: str = "127.0.0.1",
    port: int = 2775,
    control_port: int = 2776,
    accounts: Mapping[str, str] | None = None,
    time_scale: float = 1.0,
    seed: int | None = None,
    memory: Path | None = None,
) -> None:
    """Run a simulator until SIGTERM or SIGINT. `accounts`: system_id to password; None lets everybody in.

    `memory`: a file in which what was taken outlives a kill. One line on standard output says when it listens, and the
    seed of its chances. OSError where a port is taken.
    """
    settings = SimulatorSettings(
        host=host, port=port, accounts=accounts, time_scale=time_scale, seed=seed, memory=memory
    )
    uvloop.run(serve(settings, control_port))


async def serve(settings: SimulatorSettings, control_port: int) -> None:
    """A simulator and its control in this loop, until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    simulator = Simulator(settings)
    control = ControlServer(simulator, settings.host, control_port)
    await simulator.start()
    try:
        await control.start()
        sys.stdout.write(
            f"SMSC simulator on {settings.host}:{simulator.port}, control on http://{settings.host}:{control_port},"
            f" seed {simulator.faults.seed}\n"
        )
        sys.stdout.flush()
        await told_to_stop.wait()
    finally:
        await control.stop()
        await simulator.stop()
