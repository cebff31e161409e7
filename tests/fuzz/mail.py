"""The target that reads mails as the SMTP door does."""

import contextlib
import re
from zoneinfo import ZoneInfo

from sampan.interfaces.smtp_door.options import read_options
from sampan.interfaces.smtp_door.reading import NotRead, read_body, read_heading
from sampan.interfaces.smtp_door.taking import list_in
from sampan.reasons import Refused

ZONE = ZoneInfo("Asia/Hong_Kong")
NO_TEXT_HAS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]")


def mail(octets: bytes) -> None:
    """A mail is read or refused; what was read has one sender, one line of subject and a text of characters."""
    with contextlib.suppress(NotRead, Refused):
        heading = read_heading(octets)
        assert heading.sender.count("@") == 1
        assert heading.name
        assert not heading.message_id or heading.message_id.isascii()
        assert "\n" not in heading.subject
        read_options(heading.subject, ZONE)
    with contextlib.suppress(NotRead, Refused):
        body = read_body(octets)
        assert not NO_TEXT_HAS.search(body.text)
        assert body.attachments >= 0
        list_in(body.text)
