"""A customer's address book: contacts with the fields of personal texts, and groups of them (spec S1, S4)."""
