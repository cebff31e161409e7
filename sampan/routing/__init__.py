"""WHERE: numbers → destination; destination and choice → route → operator."""
