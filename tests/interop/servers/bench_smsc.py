"""The SMSC of `bench/`, which shares no code with Sampan: a process that counts and keeps nothing."""

import asyncio
import json
import re
import signal
import sys

from tests.interop.obey import Facts, obey

SUBMITS_A_SECOND = 1


class Smsc:
    """One process of it."""

    process: asyncio.subprocess.Process

    async def listen(self, system_id: str, password: str, receipts: str, throttles: bool) -> Facts:
        """Start it; who binds is not asked for."""
        options = ["--port", "0", "--dlr-delay", "0", "--dlr-form", receipts]
        options += ["--rate", str(SUBMITS_A_SECOND)] if throttles else []
        return {"port": await self._start(options), "lets_everybody_in": True}

    async def seen(self) -> Facts:
        """Its figures."""
        self.process.send_signal(signal.SIGUSR1)
        assert self.process.stdout is not None
        figures: Facts = json.loads(await self.process.stdout.readline())
        return figures

    async def _start(self, options: list[str]) -> int:
        pipe = asyncio.subprocess.PIPE
        argv = [sys.executable, "-m", "bench.smsc.smsc", *options]
        self.process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe)
        assert self.process.stderr is not None
        said = await self.process.stderr.readline()
        return int(re.findall(rb":(\d+)", said)[0])

    async def end(self) -> None:
        """Nothing is left."""
        self.process.terminate()
        await self.process.wait()


async def main() -> None:
    """Obey, and leave nothing running."""
    smsc = Smsc()
    try:
        await obey({name: getattr(smsc, name) for name in ("listen", "seen")})
    finally:
        await smsc.end()


if __name__ == "__main__":
    asyncio.run(main())
