"""Tests mirror the package; their names are sentences; they cite the spec."""
