"""PDUs for Hypothesis, made from the same annotations the codec reads."""

from typing import Any, get_type_hints

from hypothesis import strategies as st

from sampan.smpp.pdu import LAYOUTS, Body, DistributionList, SmeAddress, UnsuccessfulSme
from sampan.smpp.pdu.fields import Destinations, Message, Number, OptionalParameters, Text, Unsuccessful
from sampan.smpp.pdu.tlvs import SIZES

octets = st.integers(0, 0xFF)
sequence_numbers = st.integers(1, 0x7FFFFFFF)
addresses = st.text(st.characters(min_codepoint=1, max_codepoint=0xFF), max_size=20)

known_tlvs = st.sampled_from(sorted(SIZES)).flatmap(
    lambda tag: st.tuples(st.just(int(tag)), st.binary(min_size=SIZES[tag][0], max_size=min(SIZES[tag][1], 300)))
)
unknown_tlvs = st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=40))
tlvs = st.lists(known_tlvs | unknown_tlvs, max_size=5).map(tuple)

sme_addresses = st.builds(SmeAddress, octets, octets, addresses)
distribution_lists = st.builds(DistributionList, addresses)
unsuccessful = st.builds(UnsuccessfulSme, octets, octets, addresses, st.integers(0, 0xFFFFFFFF))


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values that a field of this kind allows."""
    match kind:
        case Text(most=most, fixed=fixed):
            characters = st.characters(min_codepoint=1, max_codepoint=0xFF)
            full = st.text(characters, min_size=most if fixed else 0, max_size=most)
            return st.just("") | full
        case Number():
            return octets
        case Message():
            return st.binary(max_size=254)
        case OptionalParameters():
            return tlvs
        case Destinations():
            return st.lists(sme_addresses | distribution_lists, min_size=1, max_size=6).map(tuple)
        case Unsuccessful():
            return st.lists(unsuccessful, max_size=6).map(tuple)
    raise AssertionError(kind)


def bodies_of(body_type: type[Any]) -> st.SearchStrategy[Body]:
    """Bodies of one kind of PDU."""
    hints = get_type_hints(body_type, include_extras=True)
    fields = [values_of(hints[name].__metadata__[0]) for name in body_type._fields]
    return st.tuples(*fields).map(body_type._make)


BODY_TYPES = {command: layout.body_type for command, layout in LAYOUTS.items()}
bodies = st.sampled_from(sorted(BODY_TYPES)).flatmap(lambda command: bodies_of(BODY_TYPES[command]))
