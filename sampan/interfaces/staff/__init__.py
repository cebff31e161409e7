"""The staff's console: worklists, operators, customers with masked numbers, the audit log (spec S133, S134)."""
