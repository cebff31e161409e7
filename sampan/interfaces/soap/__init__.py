"""The SOAP door: /soap/, contract first (spec S121, docs/api/soap.md)."""
