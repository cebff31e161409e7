"""Support cases: a customer asks what became of one message, staff find out by tests of our own (spec S137)."""
