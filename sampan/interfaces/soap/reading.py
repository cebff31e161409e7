"""Reads an envelope as its octets come: never more of it in memory than what is needed (spec S121).

Recipients and message ids are taken out one by one, as they are read; what is left is a small tree, held against the
schema. No document type is read, so that there is nothing to expand, and nothing is fetched from anywhere.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from lxml import etree

from sampan.interfaces.soap.contract import OPERATIONS, fault_of, tag
from sampan.reasons import Reason, Refused

MOST_RECIPIENTS = 100_000
MOST_MESSAGE_IDS = 10_000
MOST_DEPTH = 32
MOST_ELEMENTS = 1_000  # beside recipients and message ids
LONGEST_LISTED = 40  # characters of a recipient or message id

LONGEST = {"username": 200, "password": 200, "name": 100, "clientRef": 100, "sender": 100, "route": 100}  # characters

LISTS = {
    tag("recipients"): (tag("recipient"), MOST_RECIPIENTS),
    tag("messageIds"): (tag("messageId"), MOST_MESSAGE_IDS),
}


class Version(Enum):
    """Which SOAP a client speaks: the namespace of its envelope, and the media type of messages."""

    SOAP_1_1 = "http://schemas.xmlsoap.org/soap/envelope/", "text/xml"
    SOAP_1_2 = "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"

    def __init__(self, namespace: str, media_type: str) -> None:
        self.namespace = namespace
        self.media_type = media_type


class Malformed(Exception):
    """What came is no request of this contract. `code` is for programs, the words say how to mend it."""

    def __init__(self, code: str, words: str, *, retry_after_s: int = 0) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words
        self.retry_after_s = retry_after_s


class Asked(NamedTuple):
    """A request that the schema allows."""

    operation: str
    values: Mapping[str, str]  # the simple parameters that were given
    listed: list[str]  # recipients, or message ids


class Reader:
    """Takes octets piece by piece, and at the end gives what was asked. Raises Malformed, Refused.

    `version` is the client's as soon as its envelope has begun; before that, 1.1.
    """

    def __init__(self) -> None:
        self.version = Version.SOAP_1_1
        self._target = _Target(self)
        self._parser = etree.XMLParser(
            target=self._target,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
        )

    def feed(self, octets: bytes) -> None:
        """The next of the request."""
        try:
            self._parser.feed(octets)
        except etree.XMLSyntaxError as error:
            raise _not_xml(error) from None

    def close(self) -> Asked:
        """That was all of it."""
        try:
            envelope = self._parser.close()
        except etree.XMLSyntaxError as error:
            raise _not_xml(error) from None
        return _asked(envelope, self.version, self._target.listed)


def _not_xml(error: etree.XMLSyntaxError) -> Malformed:
    return Malformed("NotXml", f"This is no well-formed XML: {error.msg}")


class _Target:
    """What lxml tells of the document: builds the small tree, and keeps the long lists apart from it."""

    def __init__(self, reader: Reader) -> None:
        self.listed: list[str] = []
        self._reader = reader
        self._builder = etree.TreeBuilder()
        self._path: list[str] = []
        self._elements = 0
        self._item: list[str] | None = None

    def doctype(self, *_: object) -> None:
        raise Malformed("DocumentType", "A SOAP message has no document type. Leave <!DOCTYPE …> out")

    def start(self, name: str, attributes: Mapping[str, str], namespaces: Mapping[str, str]) -> None:
        if not self._path:
            self._reader.version = _version_of(name)
        elif len(self._path) >= MOST_DEPTH:
            raise Malformed("TooDeep", f"Elements stand more than {MOST_DEPTH} deep. Send only what the WSDL names")
        if self._item is not None:
            raise Malformed("NotValid", f"A {_local(self._path[-1])} holds text alone. Take {_local(name)} out of it")
        within = LISTS.get(self._path[-1]) if self._path else None
        self._path.append(name)
        if within and name == within[0]:
            if len(self.listed) >= within[1]:
                raise _too_many(_local(name), within[1])
            self._item = []
            return
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise Malformed("TooManyElements", "There are too many elements. Send only what the WSDL names")
        prefixes = {prefix or None: uri for prefix, uri in namespaces.items()}
        try:
            self._builder.start(name, dict(attributes), prefixes)
        except ValueError as error:  # names that libxml2 reads and lxml does not
            raise Malformed("NotXml", f"This is no well-formed XML: {error}") from None

    def end(self, name: str) -> None:
        self._path.pop()
        if self._item is None:
            self._builder.end(name)
            return
        text = "".join(self._item).strip()
        self.listed.append(text if len(text) <= LONGEST_LISTED else f"{text[:LONGEST_LISTED]}…")
        self._item = None

    def data(self, text: str) -> None:
        if self._item is not None:
            self._item.append(text)
        elif self._path[-1] not in LISTS or text.strip():  # the white space between items is not kept
            self._builder.data(text)

    def close(self) -> etree._Element | None:
        is_whole = self._elements and not self._path  # else lxml has something to tell, and an error here would hide it
        return self._builder.close() if is_whole else None


def _too_many(item: str, most: int) -> Malformed | Refused:
    if item == "recipient":
        return Refused(Reason.TOO_MANY_RECIPIENTS, "recipients", f"at most {most:,}")
    return Malformed("TooManyMessageIds", f"At most {most:,} message ids in one request. Split it")


def _version_of(name: str) -> Version:
    for version in Version:
        if name == f"{{{version.namespace}}}Envelope":
            return version
    raise Malformed("NotSoap", "This is no SOAP 1.1 or 1.2 envelope. Generate the client from /soap/?wsdl")


def _asked(envelope: etree._Element, version: Version, listed: list[str]) -> Asked:
    header = envelope.find(f"{{{version.namespace}}}Header")
    for block in () if header is None else header:
        if block.get(f"{{{version.namespace}}}mustUnderstand") in ("1", "true"):
            raise Malformed("MustUnderstand", f"The header {_local(block.tag)} is not understood. Leave it out")
    body = envelope.find(f"{{{version.namespace}}}Body")
    requests = [] if body is None else list(body)
    if len(requests) != 1 or requests[0].tag not in map(tag, OPERATIONS):
        raise Malformed("NoSuchOperation", f"The body has one of {', '.join(OPERATIONS)}. Look at /soap/?wsdl")
    (request,) = requests
    if fault := fault_of(request):
        raise Malformed("NotValid", f"Not as the WSDL has it: {fault}")
    values = {_local(each.tag): each.text or "" for each in request}
    for name, longest in LONGEST.items():
        if len(values.get(name, "")) > longest:
            raise Malformed("NotValid", f"{name} has at most {longest} characters. Shorten it")
    return Asked(_local(request.tag), values, listed)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
