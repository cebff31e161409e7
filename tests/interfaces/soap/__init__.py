"""The SOAP door."""
