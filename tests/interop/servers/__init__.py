"""Other people's SMPP servers, told what to do in the same way."""
