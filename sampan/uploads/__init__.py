"""Files people give us → rows of cells; and which column holds the numbers (spec S1)."""
