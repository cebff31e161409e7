"""Tests of sampan/messages/content_refusals."""
