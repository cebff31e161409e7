"""The table of what was tried with whom: printed at the end of a run, and kept in docs/operating/interop.md.

A test names what it tries by its marker, `@pytest.mark.interop("bind as a transmitter")`, and asks for the fixture
`row`, which is its peer's row; what the peer does differently the test notes there when it has seen it.
"""

from dataclasses import dataclass, field

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass
class Row:
    """One peer in one direction."""

    peer: str
    direction: str
    version: str = ""
    outcomes: dict[str, str] = field(default_factory=dict)  # what was tried: passed, or how not
    differences: list[str] = field(default_factory=list)

    def cell(self, tried: str) -> str:
        """What came of it, in the table's words."""
        outcome = self.outcomes.get(tried, "")
        if outcome == PASSED:
            return "agreed"
        if outcome.startswith(SKIPPED):
            return "not tried: " + outcome.removeprefix(f"{SKIPPED}: ").removeprefix(f"{self.peer} ")
        return "**disagreed**" if outcome else ""

    def differs(self, words: str) -> None:
        """The peer does something otherwise than we do; the test has just seen it."""
        if words not in self.differences:
            self.differences.append(words)

    def note(self, tried: str, outcome: str, why: str = "") -> None:
        """One test has ended. Of several that try the same the worst counts."""
        before = self.outcomes.get(tried, PASSED)
        if outcome != PASSED or tried not in self.outcomes:
            self.outcomes[tried] = before if before.startswith(FAILED) else outcome + (f": {why}" if why else "")


class Table:
    """All rows of a run."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}

    def row(self, peer: str, direction: str) -> Row:
        """The row of this peer in this direction."""
        return self.rows.setdefault((peer, direction), Row(peer, direction))

    @property
    def missing(self) -> list[str]:
        """Peers that were not here."""
        return [row.peer for row in self.rows.values() if not row.version]

    def as_markdown(self) -> str:
        """A table for each direction, and what was not agreed on."""
        directions = list(dict.fromkeys(direction for _, direction in self.rows))
        return "\n".join(line for direction in directions for line in self._of(direction)) + "\n"

    def _of(self, direction: str) -> list[str]:
        rows = [row for row in self.rows.values() if row.direction == direction]
        tried = dict.fromkeys(each for row in rows for each in row.outcomes)
        lines = [f"## {direction[0].upper()}{direction[1:]}", ""]
        lines.append("| | " + " | ".join(f"{row.peer} {row.version}".strip() for row in rows) + " |")
        lines.append("| --- " * (len(rows) + 1) + "|")
        lines += [f"| {each} | " + " | ".join(row.cell(each) for row in rows) + " |" for each in tried]
        for row in rows:
            if differences := row.differences:
                lines += ["", f"{row.peer} differs:", "", *(f"- {words}" for words in differences)]
        return [*lines, ""]
