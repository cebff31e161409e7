"""DATA PLANE: from the queue to the operators' links, and from their receipts back to the messages."""
