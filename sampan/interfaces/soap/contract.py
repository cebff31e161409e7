"""The contract that clients generate their code from, and the schema that requests are held against."""

from copy import deepcopy
from pathlib import Path

from lxml import etree

SAMPAN = "urn:sampan:sms:1"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP_ADDRESSES = "{http://schemas.xmlsoap.org/wsdl/soap/}address", "{http://schemas.xmlsoap.org/wsdl/soap12/}address"
OPERATIONS = ("SendSms", "GetStatus", "GetBalance", "GetQueue", "CancelScheduled", "GetReplies")

_HERE = Path(__file__).parent
_XSD = etree.parse(_HERE / "sampan.xsd")
_WSDL = etree.parse(_HERE / "sampan.wsdl")
_SCHEMA = etree.XMLSchema(_XSD)


def tag(name: str) -> str:
    """An element of ours, as lxml names it."""
    return f"{{{SAMPAN}}}{name}"


def wsdl(address: str) -> bytes:
    """The whole contract in one document, for a door at this address."""
    document = deepcopy(_WSDL).getroot()
    types = document.find(f"{{{WSDL}}}types")
    assert types is not None
    types.append(deepcopy(_XSD.getroot()))
    for each in document.iter(*SOAP_ADDRESSES):
        each.set("location", address)
    served: bytes = etree.tostring(document, xml_declaration=True, encoding="utf-8")
    return served


def fault_of(request: etree._Element) -> str:
    """What the schema has against a request, in one line; "" where it is valid."""
    if _SCHEMA.validate(request):
        return ""
    return str(_SCHEMA.error_log[0].message).replace(f"{{{SAMPAN}}}", "")
