"""smpp34 as an SMSC that takes everything, and sends receipts in the form it is told to."""

import asyncio
import contextlib
import socket
from typing import Any

import smpp34

from tests.interop.obey import Facts, obey, until

DELIVERY_RECEIPT, RECEIPT_WANTED, DELIVERED = 4, 1, 2


class Smsc:
    """One server of the library."""

    def __init__(self) -> None:
        self.messages: list[Facts] = []
        self.esmes: dict[str, Any] = {}

    async def listen(self, system_id: str, password: str, receipts: str, throttles: bool) -> Facts:
        """Listen; who binds is not asked for."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.form, self.throttles = receipts, throttles
        self.server = smpp34.Server("127.0.0.1", port)
        await self.server.start()
        self.serving = asyncio.create_task(self._serve())
        return {"port": port, "lets_everybody_in": True}

    async def deliver(self, to: str, text: str, **more: str) -> Facts:
        """A reply from a handset, in ASCII."""
        await until(lambda: self.esmes)  # a bind is answered before its event comes
        (esme,) = self.esmes.values()
        answer = await esme.deliver_sm(to, text.encode("ascii"), source_addr=more["from"])
        return {"status": answer.command_status}

    async def seen(self) -> Facts:
        """What came in."""
        return {"messages": self.messages, "sessions": len(self.esmes)}

    async def _serve(self) -> None:
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.esmes[event.session_id] = event
            elif isinstance(event, smpp34.Unbound):
                self.esmes.pop(event.session_id, None)
            elif self.throttles and self.messages:
                event.reject(smpp34.ESME_RTHROTTLED)
            else:
                await self._take(event)

    async def _take(self, event: Any) -> None:
        tlvs = {tlv.tag: tlv for tlv in event.tlvs}
        self.messages.append(
            {
                "to": event.destination_addr,
                "from": event.source_addr,
                "data_coding": event.data_coding,
                "octets": (tlvs[smpp34.TLV_MESSAGE_PAYLOAD].value if smpp34.TLV_MESSAGE_PAYLOAD in tlvs else b"").hex()
                or event.short_message.hex(),
                "esm_class": event.esm_class,
                "part": _sar(tlvs),
            }
        )
        message_id = str(41 + len(self.messages))
        event.accept(message_id)
        esme = self.esmes.get(event.session_id)
        if event.registered_delivery & RECEIPT_WANTED and esme is not None and esme.can_receive:
            await self._receipt(esme, event, message_id)

    async def _receipt(self, esme: Any, event: Any, message_id: str) -> None:
        text = (
            f"id:{message_id} sub:001 dlvrd:001 submit date:2611221500 done date:2611221501 stat:DELIVRD err:000 text:"
        )
        tlvs = [
            smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
            smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes((DELIVERED,))),
        ]
        with contextlib.suppress(smpp34.SmppError):
            await esme.deliver_sm(
                event.source_addr,
                b"" if self.form == "tlvs" else text.encode(),
                source_addr=event.destination_addr,
                esm_class=DELIVERY_RECEIPT,
                tlvs=[] if self.form == "text" else tlvs,
            )


def _sar(tlvs: dict[int, Any]) -> list[int] | None:
    if smpp34.TLV_SAR_TOTAL_SEGMENTS not in tlvs:
        return None
    names = smpp34.TLV_SAR_MSG_REF_NUM, smpp34.TLV_SAR_TOTAL_SEGMENTS, smpp34.TLV_SAR_SEGMENT_SEQNUM
    return [int.from_bytes(tlvs[name].value, "big") for name in names]


if __name__ == "__main__":
    smsc = Smsc()
    asyncio.run(obey({name: getattr(smsc, name) for name in ("listen", "deliver", "seen")}))
