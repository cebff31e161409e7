"""Delivery records go by themselves; what they came to stays, so that open + closed = ledger (spec S130)."""
