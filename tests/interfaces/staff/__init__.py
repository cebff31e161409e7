"""Tests of the staff's console."""
