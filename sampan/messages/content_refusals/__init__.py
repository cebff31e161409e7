"""What operators refused for its content by their own rules: work for the library of words (spec S91)."""
