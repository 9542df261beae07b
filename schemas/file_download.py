"""Files for a device to load, and how far it is with them."""

from dataclasses import field
from typing import Annotated

from schemas import codes as c
from schemas.fields import Attr, Codes, Unit, resource
from schemas.links import FileLink
from schemas.resources import List, Resource
from schemas.types import (
    AnyURI,
    HexBinary16,
    HexBinary160,
    PENType,
    PollRate,
    String16,
    String32,
    TimeType,
    UInt8,
    UInt16,
    UInt32,
)


@resource
class File(Resource):
    """A file that a device may load: software, credential, configuration or log."""

    activateTime: TimeType | None = None
    fileURI: AnyURI
    lFDI: HexBinary160 | None = None
    mfHwVer: String32 | None = None
    mfID: PENType
    mfModel: String32
    mfSerNum: String32 | None = None
    mfVer: String16
    size: Annotated[UInt32, Unit("octet")]
    type: HexBinary16


@resource
class FileList(List):
    """Page of files."""

    pollRate: Attr[PollRate] | None = None
    File_: list[File] = field(default_factory=list)


@resource
class FileStatus(Resource):
    """How far a device is with loading and activating a file."""

    pollRate: Attr[PollRate] | None = None
    activateTime: TimeType | None = None
    FileLink_: FileLink | None = None
    loadPercent: Annotated[UInt8, Unit("%")]
    nextRequestAttempt: TimeType
    request503Count: UInt16
    requestFailCount: UInt16
    status: Annotated[UInt8, Codes(c.FileLoadStatus)]
    statusTime: TimeType
