"""The JSON API /v1 (spec S123, docs/api/json.md): one table of operations, and a door that knows nothing but the table.

Each file has the types and the work of one kind of thing and ends in its `OPERATIONS`; `operations.py` joins them. The
OpenAPI document, the pages, the tests of scopes and of strangers are all made from that table.
"""
