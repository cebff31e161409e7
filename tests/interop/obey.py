"""How a peer's program is told what to do: a line of JSON in, a line of JSON out. Runs without Sampan's packages.

`{"do": "bind", …}` is answered by what the command gives, by `{"error": …}`, or by `{"cannot": …}` where the library
has no way to do that.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

LOOK_EVERY_S = 0.05

Facts = dict[str, Any]
Command = Callable[..., Awaitable[Facts]]


class Cannot(Exception):
    """The library has no way to do this; the argument says what is missing."""


async def obey(commands: Mapping[str, Command]) -> None:
    """Do what standard input says until it ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        print(json.dumps(await _answer(commands, asked.pop("do"), asked)), flush=True)


async def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives once it is true: for what happens in another process."""
    while not (found := condition()):  # noqa: ASYNC110 - nothing here could tell
        await asyncio.sleep(LOOK_EVERY_S)
    return found


async def _answer(commands: Mapping[str, Command], name: str, arguments: Facts) -> Facts:
    try:
        if name not in commands:
            raise Cannot(f"has no {name}")
        return await commands[name](**arguments)
    except Cannot as missing:
        return {"cannot": str(missing)}
    except Exception as error:  # noqa: BLE001 - the loop's top: whoever asked is told
        return {"error": repr(error)}
