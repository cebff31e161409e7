"""A customer of the HTTP API who never gives up: a call is repeated with its reference until answered (spec S8)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.journeys.platform import Platform

RECIPIENTS = 20  # a call
CLIENTS = 4
GIVE_UP_AFTER_S = 90.0
REPEAT_AFTER_S = 0.1
FIRST_RECIPIENT = 85261_000_000
AWAY = ("ERROR:1", "ERROR:20")  # the database is; anything else would be a lie
TEXTS = {1: "Your roses are ready", 3: "Your roses are ready, and so is all the rest of what you have ordered. " * 6}


class Customer:
    """Sends to handsets that nobody has been sent to before, so that each part on the wire tells whose it is."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._login = platform.ready["demo"]["customer"]
        self._address = platform.ready["web"] + "/misweb/f_sendsms.aspx"
        self._next = FIRST_RECIPIENT
        self._here = threading.local()

    def send(self, messages: int, parts: int) -> list[int]:
        """Returns when all are accepted: their SMSD IDs."""
        first, self._next = self._next, self._next + messages
        calls = [range(n, min(n + RECIPIENTS, self._next)) for n in range(first, self._next, RECIPIENTS)]
        with ThreadPoolExecutor(CLIENTS) as clients:
            return [id_ for ids in clients.map(lambda call: self._call(call, parts), calls) for id_ in ids]

    def _call(self, recipients: range, parts: int) -> list[int]:
        parameters = {
            "username": self._login["username"],
            "password": self._login["password"],
            "senderid": self._login["sender_id"],
            "content": TEXTS[parts],
            "langeng": "1",
            "dos": "now",
            "recipient": ",".join(map(str, recipients)),
            "client_ref": f"fire-{recipients[0]}",
        }
        deadline = time.monotonic() + GIVE_UP_AFTER_S
        while time.monotonic() < deadline:
            if (reply := self._ask(parameters)) is not None:
                assert reply.startswith("SMSDID:"), reply
                return [int(id_) for id_ in reply.removeprefix("SMSDID:").split(",")]
            time.sleep(REPEAT_AFTER_S)
        raise AssertionError(f"the call for {recipients} was never answered")

    def _ask(self, parameters: dict[str, str]) -> str | None:
        """The reply; None where nobody could give one."""
        client: httpx.Client | None = getattr(self._here, "client", None)
        if client is None:
            client = self._here.client = httpx.Client(timeout=5)
        try:
            reply = client.get(self._address, params=parameters).text
        except httpx.HTTPError:
            self._here.client = None
            return None
        return None if reply in AWAY else reply
