"""The customer's pages: plain forms and lists that work without script; each sees its own customer's things alone."""
