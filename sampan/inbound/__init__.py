"""Replies of handsets: kept before they are answered, put together, brought to their customer, acted upon."""
