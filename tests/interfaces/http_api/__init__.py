"""The HTTP API to the letter of its contract (spec S120)."""
