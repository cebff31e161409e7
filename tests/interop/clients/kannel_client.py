"""Kannel as an ESME: its bearerbox binds, its smsbox takes texts and tells receipts over HTTP, its log tells PDUs."""

import asyncio
import contextlib
import math
import os
import re
import shutil
import signal
import socket
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.interop.obey import LOOK_EVERY_S, Cannot, Facts, obey, until

STARTS_WITHIN_S, STOPS_WITHIN_S = 10.0, 8.0
MODES = {"transmitter": "port", "receiver": "receive-port", "transceiver": "port"}
CODINGS = {"gsm": "0", "ucs2": "2"}
LENGTHS = {"gsm": (160, 153), "ucs2": (70, 67)}  # of one part, and of each of several
DELIVERED, FAILED = 1, 2
STATES = {DELIVERED: 2, FAILED: 5}  # as SMPP's message_state has them
EVERY_REPORT = 31  # dlr-mask
PDU = re.compile(r"SMPP PDU 0x[0-9a-f]+ dump:\n(.*?)SMPP PDU dump ends", re.DOTALL)
FIELD = re.compile(r"DEBUG:\s+(type_name|command_status|message_id): (?!NULL)\"?(\w+)")
CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {box}
box-allow-ip = 127.0.0.1
log-level = 0
log-file = {folder}/bearerbox.log
sms-resend-freq = 1

group = smsc
smsc = smpp
smsc-id = sampan
host = {host}
{port}
transceiver-mode = {transceiver}
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
interface-version = 34
enquire-link-interval = 1
reconnect-delay = 1
{tls}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-level = 0
log-file = {folder}/smsbox.log

group = sendsms-user
username = florist
password = secret
concatenation = true
max-messages = 10
dlr-url = "http://127.0.0.1:{told}/receipt?state=%d&from=%p&to=%P&id=%F&text=%A"

group = sms-service
keyword = default
catch-all = yes
omit-empty = yes
max-messages = 0
get-url = "http://127.0.0.1:{told}/reply?from=%p&to=%P&text=%b&charset=%C"
"""


class Esme:
    """One Kannel, in a folder of its own."""

    def __init__(self) -> None:
        self.deliveries: list[Facts] = []
        self.processes: list[asyncio.subprocess.Process] = []
        self.folder = Path(tempfile.mkdtemp(prefix="kannel-"))

    async def bind(self, mode: str, port: int, system_id: str, password: str, ca: str = "") -> Facts:
        """Start it, and wait for the answer to its first bind."""
        self.sendsms, admin, box = free_ports(3)
        listening = await asyncio.start_server(self._told, "127.0.0.1", 0)
        values = {
            "folder": self.folder,
            "admin": admin,
            "box": box,
            "sendsms": self.sendsms,
            "told": listening.sockets[0].getsockname()[1],
            "host": "127.0.0.1",
            "port": f"{MODES[mode]} = {port}",
            "transceiver": "true" if mode == "transceiver" else "false",
            "tls": "use-ssl = true" if ca else "",
            "system_id": system_id,
            "password": password,
        }
        configuration = self.folder / "kannel.conf"
        configuration.write_text(CONFIGURATION.format(**values))
        await self._start("bearerbox", configuration)
        answer = await self._pdu(f"bind_{mode}_resp")
        if answer["command_status"] == 0:
            await self._start("smsbox", configuration)
            await self._listens(self.sendsms)
        return {"status": answer["command_status"]}

    async def submit(self, to: str, source: str, text: str, coding: str, way: str) -> Facts:
        """One text, which Kannel cuts by itself."""
        if way in ("sar", "payload"):
            raise Cannot("writes no " + {"sar": "SAR parameters", "payload": "message_payload"}[way])
        before = len(self._pdus("submit_sm_resp"))
        query = {"username": "florist", "password": "secret", "to": to, "from": source, "text": text}
        query |= {"coding": CODINGS[coding], "charset": "UTF-8", "dlr-mask": str(EVERY_REPORT)}
        url = f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms?{urllib.parse.urlencode(query)}"
        await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())
        await until(lambda: len(self._pdus("submit_sm_resp")) - before >= parts_of(text, coding))
        answers = self._pdus("submit_sm_resp")[before:]
        return {"answers": [(answer["command_status"], answer.get("message_id", "")) for answer in answers]}

    async def received(self, count: int) -> Facts:
        """What was delivered, once it is so much."""
        await until(lambda: len(self.deliveries) >= count)
        return {"deliveries": self.deliveries}

    async def enquire(self) -> Facts:
        """It asks every second whether the other side is alive."""
        answer = await self._pdu("enquire_link_resp")
        return {"status": answer["command_status"], "command": "enquire_link_resp"}

    async def unbind(self) -> Facts:
        """Stop it."""
        self.processes[0].send_signal(signal.SIGTERM)
        answer = await self._pdu("unbind_resp")
        return {"status": answer["command_status"], "command": "unbind_resp"}

    async def end(self) -> None:
        """Nothing is left of it."""
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self.processes:
            try:
                await asyncio.wait_for(process.wait(), STOPS_WITHIN_S)
            except TimeoutError:
                process.kill()
        shutil.rmtree(self.folder)

    async def _start(self, program: str, configuration: Path) -> None:
        path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
        assert path, f"no {program}"
        with (self.folder / f"{program}.out").open("wb") as output:
            process = await asyncio.create_subprocess_exec(path, str(configuration), stdout=output, stderr=output)
        self.processes.append(process)

    async def _listens(self, port: int) -> None:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return
                await asyncio.sleep(LOOK_EVERY_S)

    def _pdus(self, name: str) -> list[dict[str, Any]]:
        log = self.folder / "bearerbox.log"
        text = log.read_text("utf-8", "replace") if log.exists() else ""
        return [pdu for pdu in map(read_pdu, PDU.findall(text)) if pdu["type_name"] == name]

    async def _pdu(self, name: str) -> dict[str, Any]:
        async with asyncio.timeout(STARTS_WITHIN_S):
            answers: list[dict[str, Any]] = await until(lambda: self._pdus(name))
        return answers[0]

    async def _told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """smsbox calls: a receipt or a reply."""
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        kind, _, query = path.partition("?")
        said = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, encoding="latin-1"))
        if kind == "/reply":
            text = said["text"].encode("latin-1").decode(said["charset"])
            self.deliveries.append({"from": said["from"], "to": said["to"], "esm_class": 0, "text": text})
        elif int(said["state"]) in STATES:
            receipt = {"from": said["from"], "to": said["to"], "esm_class": 4, "text": said["text"]}
            self.deliveries.append(receipt | {"id": said["id"], "state": STATES[int(said["state"])]})


def read_pdu(dump: str) -> dict[str, Any]:
    """The fields of a PDU that the log shows."""
    fields: dict[str, Any] = dict(FIELD.findall(dump))
    return fields | {"command_status": int(fields["command_status"])}


def parts_of(text: str, coding: str) -> int:
    """How many submits a text without escapes becomes."""
    units = len(text) if coding == "gsm" else len(text.encode("utf-16-be")) // 2
    longest, part = LENGTHS[coding]
    return 1 if units <= longest else math.ceil(units / part)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


async def main() -> None:
    """Obey, and leave nothing running."""
    esme = Esme()
    try:
        await obey({name: getattr(esme, name) for name in ("bind", "submit", "received", "enquire", "unbind")})
    finally:
        await esme.end()


if __name__ == "__main__":
    asyncio.run(main())
