"""What became of messages, as their customer sees it: totals of a period, rows, one batch, one message (spec S100).

Everything takes the customer's id and finds nothing of anybody else's. All messages of a batch share its created_at,
so the one index message_of_customer (customer_id, created_at, id) serves periods and batches alike.
"""
