"""News to customers' own servers: what happened, to whom it is told, and how it gets there (spec S103)."""
