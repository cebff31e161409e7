"""Running the platform: its processes, its data folder and its PostgreSQL."""


class CannotStart(Exception):
    """Something outside Sampan stands in the way; the message says what, and how to mend it."""
