"""All that may keep a text from being sent, as it stands now: what `messages/planning.py` asks, and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sampan.accounts.customers import CustomerFacts
from sampan.compliance import footers, screening
from sampan.compliance.footers import Footers, Missing, Profile, Speaker
from sampan.compliance.screening import Asked, Screened
from sampan.compliance.settings import Strictness, strictness
from sampan.compliance.signatures import signatures
from sampan.compliance.words import Words, named, words
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Destination


@dataclass(frozen=True)
class Law:
    """Words, signatures and footers from memory; who may not be sent to from the database."""

    conn: Connection
    words: Words
    signatures: Mapping[int, str]
    profiles: Mapping[int, Profile]
    strictness: Strictness

    def screen(self, submissions: Sequence[Asked], now: datetime) -> list[Screened]:
        """Whom each submission may not be sent to (screening.py)."""
        return screening.screen(self.conn, submissions, now)

    def illegal_words(self, text: str) -> str:
        """The words that keep a text from China, for people to read; "" where there are none (spec S91)."""
        return named(self.words.in_text(text))

    def missing(
        self, customer: CustomerFacts, text: str, sender: str, regions: Iterable[Destination.Region]
    ) -> list[Missing]:
        """What a promotional text to these regions lacks, after its footer was added (spec S95)."""
        speaker = self._speaker(customer, sender)
        return footers.lacking(text, speaker, footers.footers_for(text, speaker), regions)

    def footers(
        self, customer: CustomerFacts, text: str, sender: str, regions: Iterable[Destination.Region]
    ) -> Footers:
        """What is added to a promotional text, by region. Raises NO_FOOTER where it must not go to one as it is."""
        speaker = self._speaker(customer, sender)
        added = footers.footers_for(text, speaker)
        if self.strictness.footer_refuses and footers.lacking(text, speaker, added, regions):
            raise Refused(Reason.NO_FOOTER, "text")
        return added

    def _speaker(self, customer: CustomerFacts, sender: str) -> Speaker:
        return Speaker(
            customer.name,
            self.profiles.get(customer.id),
            own_signature=customer.id in self.signatures,
            takes_replies=sender in customer.reply_senders,
        )


def law_in_force(conn: Connection) -> Law:
    """The law as it stands, from memory where it has not changed."""
    return Law(conn, words.get(conn), signatures.get(conn), footers.profiles.get(conn), strictness.get(conn))
