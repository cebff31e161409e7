"""DOORS: each translates its own words into the same drafts and back; they do not know each other."""
