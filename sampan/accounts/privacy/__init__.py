"""Who of our people may see a customer's recipients and texts, until when, and what they looked at (spec S133)."""
