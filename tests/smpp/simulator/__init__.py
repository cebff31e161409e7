"""Tests of the SMSC simulator."""
