"""THE CORE: what is accepted, what becomes of it, and when it starts."""
