"""Tests of numbers, destinations and routes."""
