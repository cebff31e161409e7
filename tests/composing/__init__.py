"""Tests of text into parts."""
