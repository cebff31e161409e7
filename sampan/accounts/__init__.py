"""WHO: customers, members, staff, sender IDs, and how each of them proves it."""
