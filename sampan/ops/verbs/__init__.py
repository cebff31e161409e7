"""What the command line does for scripts and for the engineer at night."""
