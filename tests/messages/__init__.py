"""Tests of the core: submissions, statuses, recipients."""
