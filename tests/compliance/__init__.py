"""Tests of what may not be sent, and what must be said."""
