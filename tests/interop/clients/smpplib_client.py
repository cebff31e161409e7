"""smpplib: blocking sockets, text cut and coded by its own `gsm` module."""

import asyncio
import math
import ssl
import warnings
from typing import Any

from smpplib import consts, exceptions, gsm, smpp
from smpplib.client import Client

from tests.interop.obey import Facts, obey

ANSWER_WITHIN_S = 10
SAR_PART_OCTETS = {"gsm": 153, "ucs2": 134}
CODINGS = {"gsm": consts.SMPP_ENCODING_DEFAULT, "ucs2": consts.SMPP_ENCODING_ISO10646}


class Esme:
    """One client of the library, and what came in."""

    def __init__(self) -> None:
        self.deliveries: list[Facts] = []
        self.answers: dict[int, tuple[int, str]] = {}

    async def bind(self, mode: str, port: int, system_id: str, password: str, ca: str = "") -> Facts:
        """Connect and bind."""
        context = None
        if ca:
            context = ssl.create_default_context(cafile=ca)
            context.check_hostname = False  # the library does not tell the context whom it connects to
        self.client = Client(
            "127.0.0.1", port, timeout=ANSWER_WITHIN_S, allow_unknown_opt_params=True, ssl_context=context
        )
        self.client.set_message_received_handler(self._on_delivery)
        self.client.set_message_sent_handler(self._on_answer)
        self.client.set_query_resp_handler(self._on_answer)
        self.client.set_error_pdu_handler(self._on_answer)
        self.client.connect()
        try:
            answer = self.client._bind(f"bind_{mode}", system_id=system_id, password=password)
        except exceptions.PDUError as error:
            return {"status": error.args[1]}
        return {"status": 0, "system_id": _text(answer.system_id)}

    async def submit(self, to: str, source: str, text: str, coding: str, way: str) -> Facts:
        """One message in as many parts as the library makes of it."""
        if way == "payload":
            bodies = [{"message_payload": _octets(text, coding), "data_coding": CODINGS[coding], "esm_class": 0}]
        elif way == "sar":
            octets, size = _octets(text, coding), SAR_PART_OCTETS[coding]
            total = math.ceil(len(octets) / size)
            bodies = [
                {
                    "short_message": octets[number * size : (number + 1) * size],
                    "data_coding": CODINGS[coding],
                    "esm_class": 0,
                    "sar_msg_ref_num": 77,
                    "sar_total_segments": total,
                    "sar_segment_seqnum": number + 1,
                }
                for number in range(total)
            ]
        else:
            parts, data_coding, esm_class = gsm.make_parts(text, CODINGS[coding])
            bodies = [{"short_message": part, "data_coding": data_coding, "esm_class": esm_class} for part in parts]
        sent = [
            self.client.send_message(
                source_addr_ton=consts.SMPP_TON_ALNUM,
                source_addr=source,
                dest_addr_ton=consts.SMPP_TON_INTL,
                dest_addr_npi=consts.SMPP_NPI_ISDN,
                destination_addr=to,
                registered_delivery=True,
                **body,
            ).sequence
            for body in bodies
        ]
        while not self.answers.keys() >= set(sent):
            self._read()
        return {"answers": [self.answers[number] for number in sent]}

    async def received(self, count: int) -> Facts:
        """What was delivered, once it is so much."""
        while len(self.deliveries) < count:
            self._read()
        return {"deliveries": self.deliveries}

    async def enquire(self) -> Facts:
        """Is the other side alive?"""
        self.client.send_pdu(smpp.make_pdu("enquire_link", client=self.client))
        answer = self.client.read_pdu()
        return {"status": answer.status, "command": answer.command}

    async def query(self, message_id: str, source: str) -> Facts:
        """What became of a message."""
        asked = self.client.query_message(
            message_id=message_id, source_addr_ton=consts.SMPP_TON_ALNUM, source_addr_npi=0, source_addr=source
        )
        while asked.sequence not in self.answers:
            self._read()
        return {"status": self.answers[asked.sequence][0], "state": self.state}

    async def unbind(self) -> Facts:
        """End the session."""
        answer = self.client.unbind()
        self.client.disconnect()
        return {"status": answer.status, "command": answer.command}

    def _read(self) -> None:
        self.client.read_once(auto_send_enquire_link=False)

    def _on_answer(self, pdu: Any) -> None:
        self.answers[pdu.sequence] = pdu.status, _text(getattr(pdu, "message_id", None))
        self.state = getattr(pdu, "message_state", None)

    def _on_delivery(self, pdu: Any) -> None:
        self.deliveries.append(
            {
                "from": _text(pdu.source_addr),
                "to": _text(pdu.destination_addr),
                "esm_class": pdu.esm_class,
                "data_coding": pdu.data_coding,
                "octets": (pdu.short_message or b"").hex(),
                "id": _text(pdu.receipted_message_id),
                "state": pdu.message_state,
            }
        )


def _octets(text: str, coding: str) -> bytes:
    return text.encode("utf-16-be") if coding == "ucs2" else bytes(gsm.gsm_encode(text))


def _text(octets: bytes | None) -> str:
    return (octets or b"").partition(b"\0")[0].decode("latin-1")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    esme = Esme()
    asyncio.run(
        obey({name: getattr(esme, name) for name in ("bind", "submit", "received", "enquire", "query", "unbind")})
    )
