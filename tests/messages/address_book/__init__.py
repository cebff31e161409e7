"""Tests of support cases."""
