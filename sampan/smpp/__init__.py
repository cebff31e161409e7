"""SMPP 3.4, of itself: no Django, no database, nothing of the business.

`pdu` octets to fields and back · `receipt` delivery receipts · `concatenation` parts of long texts · `time_format`
and `addresses` the standard's times and addresses · `framing` a stream cut into PDUs · `window` requests that wait for
their answer · `session` what both sides of a connection do · `client` we bind to an operator · `server` others bind to
us · `simulator` an operator to test against.
"""
