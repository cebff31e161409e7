"""Tests of sampan/webhooks."""
