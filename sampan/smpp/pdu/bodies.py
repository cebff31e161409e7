"""Every PDU of SMPP 3.4: its fields in wire order, with their kinds and limits (§4).

A body holds what follows the header; command_status and sequence_number belong to the session. `sm_length` and the
counts of lists are not fields: the codec writes them.
"""

from typing import Annotated, NamedTuple, TypeAlias

from sampan.smpp.pdu.codec import layout
from sampan.smpp.pdu.codes import INTERFACE_VERSION, Command, Status
from sampan.smpp.pdu.fields import (
    DESTINATION_ADDRESS,
    Destinations,
    DistributionList,
    Number,
    Octet,
    ShortText,
    SmeAddress,
    Text,
    Tlvs,
    Unsuccessful,
    UnsuccessfulSme,
)

ServiceType = Annotated[str, Text(5, Status.ESME_RINVSERTYP)]
SourceTon = Annotated[int, Number(Status.ESME_RINVSRCTON)]
SourceNpi = Annotated[int, Number(Status.ESME_RINVSRCNPI)]
SourceAddr = Annotated[str, Text(20, Status.ESME_RINVSRCADR)]
LongSourceAddr = Annotated[str, Text(64, Status.ESME_RINVSRCADR)]
DestTon = Annotated[int, Number(Status.ESME_RINVDSTTON)]
DestNpi = Annotated[int, Number(Status.ESME_RINVDSTNPI)]
DestAddr = Annotated[str, DESTINATION_ADDRESS]
LongDestAddr = Annotated[str, Text(64, Status.ESME_RINVDSTADR)]
ScheduledTime = Annotated[str, Text(16, Status.ESME_RINVSCHED, fixed=True)]
ExpiryTime = Annotated[str, Text(16, Status.ESME_RINVEXPIRY, fixed=True)]
FinalDate = Annotated[str, Text(16, Status.ESME_RQUERYFAIL, fixed=True)]
MessageId = Annotated[str, Text(64, Status.ESME_RINVMSGID)]
SystemId = Annotated[str, Text(15, Status.ESME_RINVSYSID)]
Password = Annotated[str, Text(8, Status.ESME_RINVPASWD)]
SystemType = Annotated[str, Text(12, Status.ESME_RINVSYSTYP)]
AddressRange = Annotated[str, Text(40, Status.ESME_RBINDFAIL)]
Esm = Annotated[int, Number(Status.ESME_RINVESMCLASS)]
Priority = Annotated[int, Number(Status.ESME_RINVPRTFLG)]
Registered = Annotated[int, Number(Status.ESME_RINVREGDLVFLG)]
ReplaceFlag = Annotated[int, Number(Status.ESME_RINVREPFLAG)]
DefaultMessage = Annotated[int, Number(Status.ESME_RINVDFTMSGID)]


class Bind(NamedTuple):
    """What the three binds ask with (§4.1.1, §4.1.3, §4.1.5)."""

    system_id: SystemId
    password: Password = ""
    system_type: SystemType = ""
    interface_version: Octet = INTERFACE_VERSION
    addr_ton: Octet = 0
    addr_npi: Octet = 0
    address_range: AddressRange = ""


@layout(Command.BIND_TRANSMITTER)
class BindTransmitter(Bind):
    """May submit."""

    __slots__ = ()


@layout(Command.BIND_RECEIVER)
class BindReceiver(Bind):
    """May be delivered to."""

    __slots__ = ()


@layout(Command.BIND_TRANSCEIVER)
class BindTransceiver(Bind):
    """May do both."""

    __slots__ = ()


class BindResp(NamedTuple):
    """What the three binds are answered with (§4.1.2, §4.1.4, §4.1.6); TLV sc_interface_version."""

    system_id: SystemId = ""
    tlvs: Tlvs = ()


@layout(Command.BIND_TRANSMITTER_RESP, body_with_error=False)
class BindTransmitterResp(BindResp):
    """Answers bind_transmitter."""

    __slots__ = ()


@layout(Command.BIND_RECEIVER_RESP, body_with_error=False)
class BindReceiverResp(BindResp):
    """Answers bind_receiver."""

    __slots__ = ()


@layout(Command.BIND_TRANSCEIVER_RESP, body_with_error=False)
class BindTransceiverResp(BindResp):
    """Answers bind_transceiver."""

    __slots__ = ()


@layout(Command.OUTBIND)
class Outbind(NamedTuple):
    """An SMSC asks an ESME to bind as a receiver (§4.1.7)."""

    system_id: SystemId = ""
    password: Password = ""


@layout(Command.UNBIND)
class Unbind(NamedTuple):
    """Ends the session (§4.2.1)."""


@layout(Command.UNBIND_RESP)
class UnbindResp(NamedTuple):
    """Answers unbind (§4.2.2)."""


@layout(Command.GENERIC_NACK)
class GenericNack(NamedTuple):
    """Answers what is no PDU, or an unknown one (§4.3.1)."""


class ShortMessage(NamedTuple):
    """What submit_sm and deliver_sm have in common, which is all."""

    service_type: ServiceType = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddr = ""
    dest_addr_ton: DestTon = 0
    dest_addr_npi: DestNpi = 0
    destination_addr: DestAddr = ""
    esm_class: Esm = 0
    protocol_id: Octet = 0
    priority_flag: Priority = 0
    schedule_delivery_time: ScheduledTime = ""
    validity_period: ExpiryTime = ""
    registered_delivery: Registered = 0
    replace_if_present_flag: ReplaceFlag = 0
    data_coding: Octet = 0
    sm_default_msg_id: DefaultMessage = 0
    short_message: ShortText = b""
    tlvs: Tlvs = ()


@layout(Command.SUBMIT_SM)
class SubmitSm(ShortMessage):
    """An ESME hands a message to the SMSC (§4.4.1)."""

    __slots__ = ()


@layout(Command.SUBMIT_SM_RESP, body_with_error=False)
class SubmitSmResp(NamedTuple):
    """Answers submit_sm (§4.4.2). The standard has no TLVs here; some SMSCs send them."""

    message_id: MessageId = ""
    tlvs: Tlvs = ()


@layout(Command.DELIVER_SM)
class DeliverSm(ShortMessage):
    """The SMSC hands a reply or a receipt to an ESME (§4.6.1)."""

    __slots__ = ()


@layout(Command.DELIVER_SM_RESP)
class DeliverSmResp(NamedTuple):
    """Answers deliver_sm (§4.6.2); its message_id is unused. The standard has no TLVs here; some peers send them."""

    message_id: MessageId = ""
    tlvs: Tlvs = ()


@layout(Command.SUBMIT_MULTI)
class SubmitMulti(NamedTuple):
    """An ESME hands one message for several destinations to the SMSC (§4.5.1)."""

    service_type: ServiceType = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddr = ""
    dest_addresses: Annotated[tuple[SmeAddress | DistributionList, ...], Destinations()] = ()
    esm_class: Esm = 0
    protocol_id: Octet = 0
    priority_flag: Priority = 0
    schedule_delivery_time: ScheduledTime = ""
    validity_period: ExpiryTime = ""
    registered_delivery: Registered = 0
    replace_if_present_flag: ReplaceFlag = 0
    data_coding: Octet = 0
    sm_default_msg_id: DefaultMessage = 0
    short_message: ShortText = b""
    tlvs: Tlvs = ()


@layout(Command.SUBMIT_MULTI_RESP, body_with_error=False)
class SubmitMultiResp(NamedTuple):
    """Answers submit_multi (§4.5.2)."""

    message_id: MessageId = ""
    unsuccessful: Annotated[tuple[UnsuccessfulSme, ...], Unsuccessful()] = ()
    tlvs: Tlvs = ()


@layout(Command.DATA_SM)
class DataSm(NamedTuple):
    """A message in either direction; its octets are the TLV message_payload (§4.7.1)."""

    service_type: ServiceType = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: LongSourceAddr = ""
    dest_addr_ton: DestTon = 0
    dest_addr_npi: DestNpi = 0
    destination_addr: LongDestAddr = ""
    esm_class: Esm = 0
    registered_delivery: Registered = 0
    data_coding: Octet = 0
    tlvs: Tlvs = ()


@layout(Command.DATA_SM_RESP)
class DataSmResp(NamedTuple):
    """Answers data_sm (§4.7.2)."""

    message_id: MessageId = ""
    tlvs: Tlvs = ()


@layout(Command.QUERY_SM)
class QuerySm(NamedTuple):
    """Asks what became of a message (§4.8.1)."""

    message_id: MessageId
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddr = ""


@layout(Command.QUERY_SM_RESP)
class QuerySmResp(NamedTuple):
    """Answers query_sm (§4.8.2)."""

    message_id: MessageId = ""
    final_date: FinalDate = ""
    message_state: Octet = 0
    error_code: Octet = 0


@layout(Command.CANCEL_SM)
class CancelSm(NamedTuple):
    """Calls a message back (§4.9.1)."""

    service_type: ServiceType = ""
    message_id: MessageId = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddr = ""
    dest_addr_ton: DestTon = 0
    dest_addr_npi: DestNpi = 0
    destination_addr: DestAddr = ""


@layout(Command.CANCEL_SM_RESP)
class CancelSmResp(NamedTuple):
    """Answers cancel_sm (§4.9.2)."""


@layout(Command.REPLACE_SM)
class ReplaceSm(NamedTuple):
    """Gives a message another text (§4.10.1)."""

    message_id: MessageId
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddr = ""
    schedule_delivery_time: ScheduledTime = ""
    validity_period: ExpiryTime = ""
    registered_delivery: Registered = 0
    sm_default_msg_id: DefaultMessage = 0
    short_message: ShortText = b""


@layout(Command.REPLACE_SM_RESP)
class ReplaceSmResp(NamedTuple):
    """Answers replace_sm (§4.10.2)."""


@layout(Command.ENQUIRE_LINK)
class EnquireLink(NamedTuple):
    """Is the other side alive? (§4.11.1)."""


@layout(Command.ENQUIRE_LINK_RESP)
class EnquireLinkResp(NamedTuple):
    """It is (§4.11.2)."""


@layout(Command.ALERT_NOTIFICATION)
class AlertNotification(NamedTuple):
    """A handset can be reached again (§4.12.1); it has no answer."""

    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: LongSourceAddr = ""
    esme_addr_ton: Octet = 0
    esme_addr_npi: Octet = 0
    esme_addr: LongDestAddr = ""
    tlvs: Tlvs = ()


BindRequest: TypeAlias = BindTransmitter | BindReceiver | BindTransceiver
