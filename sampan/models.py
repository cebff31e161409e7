"""Every table, imported once so that Django knows them; outside the order of parts."""
