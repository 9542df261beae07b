"""Clients and aggregators with one fault each that a procedure of CSIP-AUS catches."""

import re
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from der_client.entry import Entry
from schemas import DefaultDERControl
from tests.integration.conformance.planted.doings import losing, reading, sending, silenced_by
from tests.integration.conformance.planted.of_aggregator import answers_500, without_topic
from tests.integration.conformance.planted.of_csip_client import trusting_pins
from tests.integration.conformance.planted.row import Kind, Plant, Planted, instead


def row(
    kind: Kind, name: str, broken: str, case: str, told: str, plant: Plant, *, is_long: bool = False
) -> Planted:
    """One fault that one procedure catches."""
    ids = (f"csip-aus/{case}",)
    return Planted(name=name, kind=kind, broken=broken, cases=ids, told=told, plant=plant, is_long=is_long)


def next_digit(found: re.Match[bytes]) -> bytes:
    """The last digit is one more."""
    return b"%b%d<" % (found[1], (int(found[2]) + 1) % 10)


def of_another_maker(found: re.Match[bytes]) -> bytes:
    """The enterprise number at the end of an LFDI is another."""
    return found[1] + b"00000001<"


async def no_version(_: Entry) -> None:
    """Versions are not looked for."""


def of_one_version(_: object) -> AbstractContextManager[None]:
    """The file of versions is never read."""
    return instead(Entry, "_version", lambda _: no_version)


missing = partial(row, Kind.MISSING)
stale = partial(row, Kind.STALE)
value = partial(row, Kind.VALUE)
STATUS: Final = rb"^.{,60}<DERStatus"

FAULTS: Final = (
    row(
        Kind.DIGIT,
        "registers-bad-check-digit",
        "the check digit of the sFDI that is registered is wrong",
        "ALL-02/client",
        "sFDI",
        sending(rb"(<sFDI>\d*)(\d)<", next_digit),
    ),
    row(
        Kind.LEAK,
        "registers-for-another-maker",
        "the LFDI that an aggregator registers has the enterprise number of another",
        "ALL-02/aggregator",
        "neither the certificate's nor of the aggregator's PEN",
        sending(rb"(<lFDI>\w{32})\w{8}<", of_another_maker),
    ),
    Planted(
        name="aus-pin-not-compared",
        kind=Kind.SECURITY,
        broken="a client goes on with a Registration of another PIN",
        cases=("csip-aus/ALL-03-REJ/client",),
        told="writes nothing once it has read its Registration",
        plant=trusting_pins,
        warns=True,
    ),
    missing(
        "no-connection-point",
        "the connection point is never put",
        "ALL-03/client",
        "PUT-CP",
        losing(rb"^.{,60}ConnectionPoint"),
        is_long=True,
    ),
    row(
        Kind.DEAF,
        "versions-ignored",
        "the DeviceCapability is read at its default address, whatever versions are advertised",
        "SDVN-01/client",
        "reads /.well-known/csipaus",
        of_one_version,
    ),
    missing(
        "no-envelope-modes",
        "DERCapability does not say which limits the device takes",
        "ALL-09/client",
        "doeModesSupported",
        sending(rb"<(\w+:)?doeModesSupported>.*?</(\w+:)?doeModesSupported>", b""),
    ),
    missing(
        "no-ratings",
        "DERCapability is never put",
        "ALL-09/client",
        "PUT-DERCAPABILITY",
        losing(rb"^.{,60}<DERCapability"),
        is_long=True,
    ),
    stale(
        "status-of-the-start",
        "DERStatus is put once, and never again",
        "ALL-07/client",
        "PUT-DERSTATUS-DISCONNECT",
        losing(STATUS, first=1),
    ),
    stale(
        "operating-for-ever",
        "a DER that has stopped is told as operating",
        "ALL-08/client",
        "PUT-DERSTATUS-DISCONNECT",
        sending(rb"(<operationalModeStatus>.*?<value>)1<", rb"\g<1>2<"),
        is_long=True,
    ),
    stale(
        "sum-of-status-stays",
        "several DER of which all are off are told as connected",
        "MUL-01/client",
        "PUT-DERSTATUS",
        sending(rb"(<genConnectStatus>.*?<value>)\w+<", rb"\g<1>07<"),
    ),
    missing(
        "readings-lost",
        "no reading is posted",
        "ALL-06/client",
        "readings of the",
        losing(rb"^.{,60}<MirrorMeterReading"),
    ),
    value(
        "site-told-as-der",
        "the readings of the site have the roleFlags of a DER",
        "ALL-06/client",
        "site",
        sending(rb"<roleFlags>0003<", b"<roleFlags>0049<"),
    ),
    value(
        "no-means",
        "readings are told as momentary values, not as means",
        "ALL-06/client",
        "readings of the",
        sending(rb"<dataQualifier>2<", b"<dataQualifier>0<"),
    ),
    row(
        Kind.PACE,
        "post-rate-not-followed",
        "once the postRate of a mirror has changed, no reading is posted any more",
        "ALL-10/client",
        "POST-MUP-1",
        silenced_by(b"<postRate>300<", rb"^.{,60}<MirrorMeterReading"),
    ),
    value(
        "ramp-not-taken-on",
        "setGradW of the settings stays what it was",
        "ALL-13/client",
        "SET-GRAD-W-100",
        sending(rb"<setGradW>\d+<", b"<setGradW>27<"),
        is_long=True,
    ),
    row(
        Kind.NOTICE,
        "default-not-subscribed",
        "the DefaultDERControl is never subscribed to",
        "ALL-14/aggregator",
        "POST-SUBSCRIPTION-DEFAULT-DERC",
        without_topic(DefaultDERControl),
        is_long=True,
    ),
    row(
        Kind.CODE,
        "aus-notification-500",
        "a Notification is used, and answered 500",
        "ALL-17/aggregator",
        "every Notification was taken",
        answers_500,
    ),
    missing(
        "no-storage-rates",
        "DERSettings do not say how fast a battery charges",
        "STO-02/client",
        "setMaxChargeRateW",
        sending(rb"<(\w+:)?setMaxChargeRateW>.*?</(\w+:)?setMaxChargeRateW>", b""),
    ),
    missing(
        "stored-energy-lost",
        "the energy that a battery holds is not mirrored",
        "STO-01/client",
        "stored energy",
        sending(rb"<uom>72<", b"<uom>71<"),
        is_long=True,
    ),
    row(
        Kind.DEAF,
        "an-hour-ahead",
        "the client takes the server's clock to be an hour ahead: every control is over",
        "STO-03/client",
        "POST-RESPONSE-RECEIVED",
        reading(rb"(<currentTime>)(\d+)", lambda found: b"%b%d" % (found[1], int(found[2]) + 3600)),
        is_long=True,
    ),
    missing(
        "no-device-category",
        "an EndDevice is registered without its deviceCategory",
        "DRA-01/client",
        "deviceCategory",
        sending(rb"<deviceCategory>\w+</deviceCategory>", b""),
    ),
    stale(
        "off-not-told",
        "a device that is off by an instruction is told as operating",
        "DRA-02/aggregator",
        "PUT-DERSTATUS",
        sending(rb"(<operationalModeStatus>.*?<value>)100<", rb"\g<1>2<"),
    ),
    value(
        "generation-told-as-load",
        "an instruction to generate is told as one to consume",
        "DRG-01/client",
        "PUT-DERSTATUS-1",
        sending(rb"(<operationalModeStatus>.*?<value>)107<", rb"\g<1>103<"),
    ),
    row(
        Kind.RESPONSE,
        "completed-never-sent",
        "Response 3 is never sent",
        "STO-03/client",
        "POST-RESPONSE-COMPLETED",
        losing(rb"Response.*<status>3<"),
    ),
)
