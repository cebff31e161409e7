"""Measuring Sampan, and others beside it, on the same machine."""
