"""Sampan: a self-hosted, prepaid SMS platform. README.md is the map."""
