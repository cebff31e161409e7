"""Tests of the SMTP door."""
