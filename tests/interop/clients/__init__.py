"""Other people's SMPP clients, each told what to do by lines of JSON. They run in `.venv/interop`, without Sampan."""
