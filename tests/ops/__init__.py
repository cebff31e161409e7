"""Tests of sampan/ops, with real processes."""
