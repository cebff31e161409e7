"""Tests of reading the files people give us."""
