"""The SMTP door: mails become texts, and are answered by mail (spec S122, docs/api/smtp.md).

`reading` makes of a mail's octets what it says, `options` of its subject's brackets how it is meant, `authentic` tells
whether an address that is registered with us truly sent it, `portions` keeps a mail that comes again from sending
twice, `taking` brings it to the intake, `answers` writes what its sender is told; `door` speaks with the peers.
"""
