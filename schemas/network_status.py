"""Network interfaces, addresses and radio neighbours of a device."""

from dataclasses import field
from typing import Annotated

from schemas import codes as c
from schemas.fields import Attr, Codes, resource
from schemas.links import (
    IPAddrListLink,
    LLInterfaceListLink,
    NeighborListLink,
    RPLInstanceListLink,
    RPLSourceRoutesListLink,
)
from schemas.resources import List, Resource
from schemas.types import (
    Boolean,
    HexBinary8,
    HexBinary64,
    HexBinary128,
    Int64,
    PollRate,
    String16,
    String192,
    UInt8,
    UInt16,
    UInt32,
)


@resource
class IEEE_802_15_4:
    """Link-layer facts of an IEEE 802.15.4 interface."""

    capabilityInfo: HexBinary8
    NeighborListLink_: NeighborListLink | None = None
    shortAddress: UInt16


@resource
class IPAddr(Resource):
    """One IP address of an interface."""

    address: HexBinary128
    RPLInstanceListLink_: RPLInstanceListLink | None = None


@resource
class IPAddrList(List):
    """Page of IP addresses."""

    IPAddr_: list[IPAddr] = field(default_factory=list)


@resource
class IPInterface(Resource):
    """IP interface with its counters (named after RFC 2863)."""

    ifDescr: String192 | None = None
    ifHighSpeed: UInt32 | None = None
    ifInBroadcastPkts: UInt32 | None = None
    ifIndex: UInt32 | None = None
    ifInDiscards: UInt32 | None = None
    ifInErrors: UInt32 | None = None
    ifInMulticastPkts: UInt32 | None = None
    ifInOctets: UInt32 | None = None
    ifInUcastPkts: UInt32 | None = None
    ifInUnknownProtos: UInt32 | None = None
    ifMtu: UInt32 | None = None
    ifName: String16 | None = None
    ifOperStatus: UInt8 | None = None
    ifOutBroadcastPkts: UInt32 | None = None
    ifOutDiscards: UInt32 | None = None
    ifOutErrors: UInt32 | None = None
    ifOutMulticastPkts: UInt32 | None = None
    ifOutOctets: UInt32 | None = None
    ifOutUcastPkts: UInt32 | None = None
    ifPromiscuousMode: Boolean | None = None
    ifSpeed: UInt32 | None = None
    ifType: UInt16 | None = None
    IPAddrListLink_: IPAddrListLink | None = None
    lastResetTime: Int64 | None = None
    lastUpdatedTime: Int64 | None = None
    LLInterfaceListLink_: LLInterfaceListLink | None = None


@resource
class IPInterfaceList(List):
    """Page of IP interfaces."""

    pollRate: Attr[PollRate] | None = None
    IPInterface_: list[IPInterface] = field(default_factory=list)


@resource
class loWPAN:
    """Counters of a 6LoWPAN adaptation layer."""

    octetsRx: UInt32 | None = None
    octetsTx: UInt32 | None = None
    packetsRx: UInt32
    packetsTx: UInt32
    rxFragError: UInt32


@resource
class LLInterface(Resource):
    """Link-layer interface with its counters."""

    CRCerrors: UInt32
    EUI64: HexBinary64
    IEEE_802_15_4_: IEEE_802_15_4 | None = None
    linkLayerType: Annotated[UInt8, Codes(c.LinkLayerType)]
    LLAckNotRx: UInt32 | None = None
    LLCSMAFail: UInt32 | None = None
    LLFramesDropRx: UInt32 | None = None
    LLFramesDropTx: UInt32 | None = None
    LLFramesRx: UInt32 | None = None
    LLFramesTx: UInt32 | None = None
    LLMediaAccessFail: UInt32 | None = None
    LLOctetsRx: UInt32 | None = None
    LLOctetsTx: UInt32 | None = None
    LLRetryCount: UInt32 | None = None
    LLSecurityErrorRx: UInt32 | None = None
    loWPAN_: loWPAN | None = None


@resource
class LLInterfaceList(List):
    """Page of link-layer interfaces."""

    LLInterface_: list[LLInterface] = field(default_factory=list)


@resource
class Neighbor(Resource):
    """Radio neighbour of a device."""

    isChild: Boolean
    linkQuality: UInt8
    shortAddress: UInt16


@resource
class NeighborList(List):
    """Page of radio neighbours."""

    Neighbor_: list[Neighbor] = field(default_factory=list)


@resource
class RPLInstance(Resource):
    """Instance of the RPL routing protocol."""

    DODAGid: UInt8
    DODAGroot: Boolean
    flags: UInt8
    groundedFlag: Boolean
    MOP: UInt8
    PRF: UInt8
    rank: UInt16
    RPLInstanceID: UInt8
    RPLSourceRoutesListLink_: RPLSourceRoutesListLink | None = None
    versionNumber: UInt8


@resource
class RPLInstanceList(List):
    """Page of RPL instances."""

    RPLInstance_: list[RPLInstance] = field(default_factory=list)


@resource
class RPLSourceRoutes(Resource):
    """Source route of the RPL protocol."""

    DestAddress: HexBinary128
    SourceRoute: HexBinary128


@resource
class RPLSourceRoutesList(List):
    """Page of RPL source routes."""

    RPLSourceRoutes_: list[RPLSourceRoutes] = field(default_factory=list)
