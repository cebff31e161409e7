"""Figures of the charts, which the templates draw as SVG; each chart's numbers also stand in a table."""

from typing import NamedTuple

from sampan.messages.reports.periods import Totals
from sampan.messages.reports.shown import Shown

SHARES_WIDTH = 1000.0
GAP = 3.0
LEAST_SHARE = 3.0  # so that the few are seen, too
HOURS = 24
LEFT, RIGHT, TOP, BOTTOM = 44.0, 496.0, 10.0, 176.0
BAR_SHARE = 0.64
LEAST_BAR = 1.0
HOURS_LABELLED = 3
STEPS = (1, 2, 5)
MOST_LINES = 4

# What is one colour in a chart, in the order of its parts.
COLOURS: dict[str, tuple[Shown, ...]] = {
    "delivered": (Shown.DELIVERED,),
    "processing": (Shown.SENT, Shown.PROCESSING, Shown.RETRY, Shown.UNKNOWN, Shown.WAITING, Shown.SCHEDULING),
    "expired": (Shown.EXPIRED,),
    "undeliverable": (Shown.UNDELIVERABLE, Shown.UPLOAD_FAILED),
    "filtered": (Shown.FILTERED,),
}


class Rectangle(NamedTuple):
    """A part of a chart, in its own coordinates."""

    colour: str
    x: str
    y: str
    width: str
    height: str


class Label(NamedTuple):
    """A word beside an axis; `spare` may go where there is little room."""

    text: str
    at: str
    spare: bool = False


class Line(NamedTuple):
    """One row of a chart's table."""

    hour: str
    counts: list[int]
    total: int


class HoursChart(NamedTuple):
    """Messages by the hour of the day."""

    bars: list[Rectangle]
    levels: list[Label]
    hours: list[Label]
    table: list[Line]
    busiest: list[Line]


def _figure(number: float) -> str:
    return f"{number:.1f}"


def _by_colour(messages: dict[Shown, int]) -> dict[str, int]:
    return {colour: sum(messages.get(shown, 0) for shown in those) for colour, those in COLOURS.items()}


def shares_chart(totals: Totals) -> list[Rectangle]:
    """One bar, divided by status."""
    counts = {colour: count for colour, count in _by_colour(totals.messages).items() if count}
    if not counts:
        return []
    room = SHARES_WIDTH - GAP * (len(counts) - 1) - LEAST_SHARE * len(counts)
    x, rectangles = 0.0, []
    for colour, count in counts.items():
        width = LEAST_SHARE + room * count / totals.count
        rectangles.append(Rectangle(colour, _figure(x), "0", _figure(width), "26"))
        x += width + GAP
    return rectangles


def hours_chart(totals: Totals) -> HoursChart:
    """Stacked bars, one an hour."""
    table = []
    for hour, messages in totals.hours:
        counts = list(_by_colour(messages).values())
        table.append(Line(f"{hour:02d}:00", counts, sum(counts)))
    step = _step(max(line.total for line in table))
    top_level = step * -(-max(line.total for line in table) // step) or step
    scale = (BOTTOM - TOP) / top_level
    column = (RIGHT - LEFT) / HOURS
    bars = []
    for hour, line in enumerate(table):
        y = BOTTOM
        x = LEFT + column * (hour + (1 - BAR_SHARE) / 2)
        for colour, count in zip(COLOURS, line.counts, strict=True):
            if count:
                height = max(LEAST_BAR, count * scale)
                y -= height
                bars.append(Rectangle(colour, _figure(x), _figure(y), _figure(column * BAR_SHARE), _figure(height)))
    levels = [Label(f"{level:,}", _figure(BOTTOM - level * scale)) for level in range(0, top_level + 1, step)]
    hours = [
        Label(f"{hour:02d}", _figure(LEFT + column * (hour + 0.5)), spare=bool(hour % (2 * HOURS_LABELLED)))
        for hour in range(0, HOURS, HOURS_LABELLED)
    ]
    busiest = sorted((line for line in table if line.total), key=lambda line: -line.total)[:2]
    return HoursChart(bars, levels, hours, table, busiest)


def _step(most: int) -> int:
    """A round figure of which at most MOST_LINES reach `most`."""
    scale = 1
    while True:
        for step in STEPS:
            if step * scale * MOST_LINES >= most:
                return step * scale
        scale *= 10
