"""aiosmpplib: an ESME that keeps itself connected, fed through a queue, heard through a hook."""

import asyncio
import struct
from typing import Any

from aiosmpplib import (
    ESME,
    NPI,
    TON,
    AbstractHook,
    BindMode,
    DeliverSm,
    EnquireLink,
    PhoneNumber,
    SmppCommand,
    SubmitSm,
)
from aiosmpplib.broker import SimpleBroker

from tests.interop.obey import Cannot, Facts, obey

ENCODINGS = {"gsm": "gsm0338", "ucs2": "ucs2"}
UDHI = 0x40
HEADER = struct.Struct(">IIII")
BINDS = {SmppCommand.BIND_TRANSMITTER_RESP, SmppCommand.BIND_RECEIVER_RESP, SmppCommand.BIND_TRANSCEIVER_RESP}


class Ear(AbstractHook):  # type: ignore[misc]
    """What came in, by its kind, and the waiting for it."""

    def __init__(self) -> None:
        self.answers: dict[SmppCommand, list[tuple[int, str]]] = {}
        self.deliveries: list[Facts] = []
        self.errors: list[str] = []
        self._news = asyncio.Condition()

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        """Of no interest."""

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        """Keep what came."""
        _, command_id, status, _ = HEADER.unpack_from(pdu)
        self.answers.setdefault(SmppCommand(command_id), []).append((status, pdu[16:].rstrip(b"\0").decode("latin-1")))
        if isinstance(smpp_message, DeliverSm):
            tlvs = {param.tag: param.value for param in smpp_message.optional_params or ()}
            self.deliveries.append(
                {
                    "from": smpp_message.source.number,
                    "to": smpp_message.destination.number,
                    "esm_class": smpp_message.esm_class,
                    "text": smpp_message.short_message or smpp_message.message_payload,
                    "id": tlvs.get(0x1E) or "",
                    "state": tlvs.get(0x427),
                    "parsed": {name: str(value) for name, value in smpp_message.parse_receipt().items()},
                }
            )
        async with self._news:
            self._news.notify_all()

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None:
        """Keep why something was not sent."""
        self.errors.append(repr(error))
        async with self._news:
            self._news.notify_all()

    async def until(self, *commands: SmppCommand, count: int = 1) -> list[tuple[int, str]]:
        """The answers of these kinds, once there are so many."""
        async with self._news:
            await self._news.wait_for(lambda: self.errors or len(self._found(commands)) >= count)
        if self.errors:
            raise ValueError(self.errors.pop())
        return self._found(commands)

    async def until_delivered(self, count: int) -> list[Facts]:
        """The deliveries, once there are so many."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.deliveries) >= count)
        return self.deliveries

    def _found(self, commands: Any) -> list[tuple[int, str]]:
        return [answer for command in commands for answer in self.answers.get(command, ())]


class Esme:
    """One ESME of the library."""

    def __init__(self) -> None:
        self.ear = Ear()
        self.broker = SimpleBroker()
        self.submitted = 0

    async def bind(self, mode: str, port: int, system_id: str, password: str, ca: str = "") -> Facts:
        """Connect and bind; it would try for ever, so that a refusal is told by the hook."""
        if ca:
            raise Cannot("has no TLS")
        self.esme = ESME(
            "127.0.0.1",
            port,
            system_id,
            password,
            bind_mode=BindMode[mode.upper()],
            hook=self.ear,
            broker=self.broker,
            log_level="CRITICAL",
        )
        self.running = asyncio.create_task(self.esme.start())
        ((status, answered),) = await self.ear.until(*BINDS)
        return {"status": status, "system_id": answered}

    async def submit(self, to: str, source: str, text: str, coding: str, way: str) -> Facts:
        """One message, cut by the library as `way` says."""
        if way == "sar":
            raise Cannot(
                "0.7 ends by an error of its own (a variable without a value) where it is to cut into SAR parts"
            )
        ways: dict[str, Facts] = {
            "": {"short_message": text},
            "udh": {"short_message": text, "esm_class": UDHI, "auto_message_payload": False},
            "payload": {"message_payload": text},
        }
        before = len(self.ear.answers.get(SmppCommand.SUBMIT_SM_RESP, ()))
        await self.broker.enqueue(
            SubmitSm(
                source=PhoneNumber(source, TON.ALPHANUMERIC, NPI.UNKNOWN),
                destination=PhoneNumber(to, TON.INTERNATIONAL, NPI.ISDN),
                encoding=ENCODINGS[coding],
                registered_delivery=1,
                **ways[way],
            )
        )
        parts = self._parts(text, coding) if way == "udh" else 1
        answers = await self.ear.until(SmppCommand.SUBMIT_SM_RESP, count=before + parts)
        return {"answers": answers[before:]}

    @staticmethod
    def _parts(text: str, coding: str) -> int:
        longest, part = (160, 153) if coding == "gsm" else (70, 67)
        return 1 if len(text) <= longest else -(-len(text) // part)

    async def received(self, count: int) -> Facts:
        """What was delivered, once it is so much."""
        return {"deliveries": await self.ear.until_delivered(count)}

    async def enquire(self) -> Facts:
        """Is the other side alive?"""
        await self.broker.enqueue(EnquireLink())
        ((status, _),) = await self.ear.until(SmppCommand.ENQUIRE_LINK_RESP)
        return {"status": status, "command": "enquire_link_resp"}

    async def unbind(self) -> Facts:
        """End the session; it hangs up without waiting for the answer."""
        await self.esme.stop()
        return {"status": 0}


async def main() -> None:
    """Obey in one loop, in which the ESME lives, too."""
    esme = Esme()
    await obey({name: getattr(esme, name) for name in ("bind", "submit", "received", "enquire", "unbind")})


if __name__ == "__main__":
    asyncio.run(main())
