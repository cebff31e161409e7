"""The SMPP door: customers bind and submit as to any SMSC (spec S124, docs/api/smpp.md).

`reading` makes of a submit what every door makes, `words` has SMPP's words for refusals and states, `joining` keeps the
parts of long texts until the last one comes, `receipts` those receipts that nobody has acknowledged yet, `logins` who
may bind; `door` answers requests.
"""
