"""Whole journeys over the running platform, as its users make them."""
