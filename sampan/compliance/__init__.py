"""What may not be sent, and what must be said: the do-not-call register, consents, China, footers (spec S90–S97)."""
