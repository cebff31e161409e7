"""One-time passwords as a thing of their own."""
