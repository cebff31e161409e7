"""Text into parts, pure: the alphabet, length and charge units, the China signature, personal texts."""
