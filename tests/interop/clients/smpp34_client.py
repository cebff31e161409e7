"""smpp34: a codec and sessions in Rust; text is the caller's octets."""

import asyncio
import os
from typing import Any

import smpp34

from tests.interop.obey import Cannot, Facts, obey

BIND_TYPES = {"transmitter": "TX", "receiver": "RX", "transceiver": "TRX"}
PART_OCTETS = {"gsm": 153, "ucs2": 134}
LONGEST_OCTETS = {"gsm": 160, "ucs2": 140}
DATA_CODING = {"gsm": 0, "ucs2": 8}
# The library leaves alphabets to its caller; this is 3GPP 23.038 §6.2.1 as far as the tests' texts go.
SEPTETS = {"€": b"\x1be", "{": b"\x1b(", "}": b"\x1b)", "[": b"\x1b<", "]": b"\x1b>", "~": b"\x1b=", "|": b"\x1b@"}
SEPTETS |= {"^": b"\x1b\x14", "\\": b"\x1b/", "@": b"\0", "$": b"\2", "_": b"\x11", "ä": b"\x7b", "Ü": b"\x5e"}


class Esme:
    """One client of the library."""

    def __init__(self) -> None:
        self.deliveries: list[Facts] = []

    async def bind(self, mode: str, port: int, system_id: str, password: str, ca: str = "") -> Facts:
        """Connect and bind."""
        if ca:
            os.environ["SSL_CERT_FILE"] = ca
        self.client = smpp34.Client(
            "localhost" if ca else "127.0.0.1", port, system_id, password, bind_type=BIND_TYPES[mode], tls=bool(ca)
        )
        try:
            self.smsc = await self.client.connect()
        except smpp34.SmppError as error:
            if "timed out" in str(error):  # whatever the answer looks like
                raise Cannot("does not see that a bind was refused, and waits its 10 s out") from None
            raise
        return {"status": 0}

    async def submit(self, to: str, source: str, text: str, coding: str, way: str) -> Facts:
        """One message, cut by us where it is long."""
        octets = text.encode("utf-16-be") if coding == "ucs2" else _septets(text)
        bodies: list[dict[str, Any]] = [{"short_message": octets}]
        if way == "payload":
            bodies = [{"short_message": b"", "tlvs": [smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, octets)]}]
        elif len(octets) > LONGEST_OCTETS[coding]:
            size = PART_OCTETS[coding]
            parts = [octets[start : start + size] for start in range(0, len(octets), size)]
            place = _in_sar if way == "sar" else _in_header
            bodies = [place(part, number, len(parts)) for number, part in enumerate(parts, 1)]
        answers = []
        for body in bodies:
            answer = await self.smsc.submit_sm(
                to,
                source_addr=source,
                source_addr_ton=5,
                dest_addr_ton=1,
                dest_addr_npi=1,
                registered_delivery=1,
                data_coding=DATA_CODING[coding],
                **body,
            )
            answers.append((answer.command_status, answer.message_id or ""))
        return {"answers": answers}

    async def received(self, count: int) -> Facts:
        """What was delivered, once it is so much."""
        while len(self.deliveries) < count:
            event = await self.smsc.next()
            if isinstance(event, smpp34.Disconnected):
                raise ConnectionError("disconnected")
            tlvs = {tlv.tag: tlv for tlv in event.tlvs}
            id_, state = tlvs.get(smpp34.TLV_RECEIPTED_MESSAGE_ID), tlvs.get(smpp34.TLV_MESSAGE_STATE)
            self.deliveries.append(
                {
                    "from": event.source_addr,
                    "to": event.destination_addr,
                    "esm_class": event.esm_class,
                    "data_coding": event.data_coding,
                    "octets": event.short_message.hex(),
                    "id": (id_.as_string() or "").rstrip("\0") if id_ else "",
                    "state": state.as_int() if state else None,
                }
            )
        return {"deliveries": self.deliveries}

    async def enquire(self) -> Facts:
        """Is the other side alive?"""
        raise Cannot("sends enquire_link when it likes; is_alive asks nobody")

    async def unbind(self) -> Facts:
        """End the session."""
        await self.smsc.unbind()
        await self.client.stop()
        return {"status": 0}


def _in_header(part: bytes, number: int, total: int) -> dict[str, Any]:
    return {"short_message": bytes((5, 0, 3, 77, total, number)) + part, "esm_class": 0x40}


def _in_sar(part: bytes, number: int, total: int) -> dict[str, Any]:
    reference = smpp34.Tlv(smpp34.TLV_SAR_MSG_REF_NUM, b"\0\x4d")
    figures = (smpp34.TLV_SAR_TOTAL_SEGMENTS, total), (smpp34.TLV_SAR_SEGMENT_SEQNUM, number)
    return {"short_message": part, "tlvs": [reference, *(smpp34.Tlv(tag, bytes((figure,))) for tag, figure in figures)]}


def _septets(text: str) -> bytes:
    return b"".join(SEPTETS.get(character) or character.encode("ascii") for character in text)


if __name__ == "__main__":
    esme = Esme()
    asyncio.run(obey({name: getattr(esme, name) for name in ("bind", "submit", "received", "enquire", "unbind")}))
