"""The SMPP door (spec S124)."""
