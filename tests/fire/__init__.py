"""Delivery under fire: the whole platform, an SMSC gone bad, and `kill -9` of each process (house.md)."""
