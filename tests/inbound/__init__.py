"""Replies: kept, put together, brought to their customer, acted upon (spec S110–S112)."""
