"""Other people's programs against ours, over the wire: `make interop`, never a part of `make test`."""
