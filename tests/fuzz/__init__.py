"""Fuzzing: octets and texts that nobody would think of, against everything that reads what strangers send."""
