"""Tests of SMPP 3.4."""
