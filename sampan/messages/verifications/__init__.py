"""One-time passwords as a thing of their own: a code goes to a mobile, and comes back or does not."""
