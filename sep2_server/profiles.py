"""What the specifications leave open or contradict each other in: a `ServerProfile` decides all of it.

Every field names what it decides, what it may be and where the question comes from;
`docs/reference/profiles.md` is written from here. `PROFILES` holds the profiles by name.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeVar

from function_sets import FUNCTION_SETS, ROUTES
from schemas import BASE, Profile, csip_aus, spec_of
from sep2_server.extra_routes import GROUP_LISTS, HOME_OF

T = TypeVar("T")


def _open(default: T, about: str, source: str, *choices: object) -> T:
    """A field: its value in the standard, what it decides, where that is left open, what it may be."""
    return field(default=default, metadata={"about": about, "source": source, "choices": choices})


FUNCTION_SET_CODES: Final = tuple(sorted(one.code for one in FUNCTION_SETS))
CSIP_FUNCTION_SETS: Final = (
    "dcap",
    "derp",
    "di",
    "edev",
    "fsa",
    "lel",
    "mup",
    "ps",
    "rsps",
    "sdev",
    "sub",
    "tm",
    "upt",
)
"""Codes of the function sets of CSIP, and of what its servers serve beside them. CSIP 1.2."""
REFERENCE_RATES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "DeviceCapability": 300,
        "EndDeviceList": 300,
        "FunctionSetAssignmentsList": 300,
        "DERList": 60,
        "DERProgramList": 60,
        "MirrorUsagePointList": 300,
        "Time": 900,
    }
)
"""pollRate by the id of the resource, s. CSIP-AUS reference rates; they serve CSIP as well."""


@cache
def polled() -> tuple[str, ...]:
    """Ids of the resources that carry a pollRate. IEEE 2030.5-2018, 6."""
    kinds = [route.id for route in ROUTES.values() if any(f.name == "pollRate" for f in spec_of(route.type))]
    return (*kinds, *sorted(GROUP_LISTS))


def rate_in(rates: Mapping[str, int], kind: str) -> int | None:
    """The rate of a resource among some; that of the list at the root stands for the lists of groups."""
    found = rates.get(kind)
    return rates.get(HOME_OF[kind]) if found is None and kind in HOME_OF else found


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """One way to be an IEEE 2030.5 server. Times in s."""

    name: str = "base"
    xml: Profile = BASE

    strict_tls: bool = _open(False, "offer the mandatory cipher suite alone", "1; CSIP 1.4")
    allow_self_signed: bool = _open(
        False, "let in the self-signed certificates of `extra_trusted` (policy .2.2)", "1.1; CSIP 1.4"
    )
    refused_certificate: str = _open(
        "alert",
        "what a client meets without a good certificate: an alert of TLS, and 403 where TLS finds no fault;"
        " 403 also where it shows none; or an alert, and an end of the connection",
        "1; CSIP erratum 7",
        "alert",
        "403",
        "close",
    )
    open_capability: bool = _open(
        False, "DeviceCapability is shown without a client certificate", "1 (table 12); CSIP 1.4"
    )
    unknown_client: str = _open(
        "403",
        "what a client sees that is not enrolled: refusal, nothing, DeviceCapability alone, or also an empty"
        " EndDeviceList",
        "1; CSIP 1.5",
        "403",
        "404",
        "capability",
        "empty_list",
    )
    redirect_status: int = _open(
        301, "answer to plain HTTP, at `redirect_port`", "1; CORE-002, ERR-001", 301, 302, 307
    )
    hidden_status: int = _open(404, "answer for a resource of another client", "1 and 4", 403, 404)

    in_band_registration: bool = _open(
        False, "unknown clients may read DeviceCapability and POST their EndDevice", "10; CSIP 1.5"
    )
    open_mirror_list: bool = _open(
        False, "a client that may register itself sees the MirrorUsagePointList too, empty", "S-ALL-02"
    )
    duplicate_end_device_status: int = _open(
        204, "answer to an EndDevice that is posted again", "10; S-ALL-51", 200, 204, 409
    )
    wrong_sfdi_status: int = _open(400, "answer to an sFDI that is not that of the lFDI", "2.5", 400, 403)
    lfdi_required: str = _open(
        "aggregators",
        "who has to say the lFDI of the EndDevice that is posted; else it is the certificate's",
        "2.5",
        "aggregators",
        "all",
    )
    pen_suffix: bool = _open(
        False,
        "the lFDI of a managed device ends with the aggregator's PEN (`aggregator_pens`), 8 decimal digits",
        "2.3",
    )
    registration_groups: tuple[str, ...] = _open(
        (), "groups that a device joins which registers itself", "10; 11"
    )
    registration_pin: str = _open(
        "none",
        "PIN of a device that registers itself: none (no Registration), random, or the six digits of all",
        "10; ALL-05; CSIP 1.5",
    )
    registration_ders: int = _open(1, "DERs of a device that registers itself", "15")

    function_sets: tuple[str, ...] = _open(
        FUNCTION_SET_CODES,
        "codes of the function sets that are served; what is set is put over them: `dr`, `-ps`, `all`",
        "CSIP 1.2",
    )
    list_limit: int = _open(255, "most items in a page of a list; a larger `l` is cut to it", "5; 2.3")
    bad_query: str = _open("400", "an `s`, `l` or `a` that is no whole number from 0", "2.5", "400", "ignore")
    all_with_after: str = _open("filtered", "what `all` counts when `a` is given", "5", "filtered", "whole")
    end_device_order: str = _open(
        "2018", "EndDeviceList: changedTime first (2018), or sFDI (2013)", "annex B", "2018", "2013"
    )
    log_event_order: str = _open(
        "newest_first", "LogEventList", "annex B; BASIC-027", "newest_first", "oldest_first"
    )
    mrid_tie_break: str = _open(
        "higher", "which of two events of one creationTime supersedes, by mRID", "12", "higher", "lower"
    )
    event_retention_s: int = _open(0, "how long an event stays in its list after its end", "12; S-ALL-41")
    response_required: str = _open("03", "responseRequired of controls that do not say it", "CSIP 1.8")
    default_set_grad_w: int = _open(
        -1,
        "setGradW of a DefaultDERControl that is made without one, 0.01 %/s; -1: none",
        "2.3 (table 12.4.4)",
    )
    superseded_responses: tuple[int, ...] = _open(
        (7, 14), "codes that are taken for an event which lost against another", "13; CSIP errata 5 and 6"
    )
    price_summary: str = _open(
        "combined",
        "which TimeTariffIntervals carry their prices and the link to their RateComponent:"
        " those of the combined list, or all",
        "2.2",
        "combined",
        "all",
    )

    put_status: int = _open(204, "answer to a PUT that was stored", "4", 200, 204)
    put_created_status: int = _open(
        204, "answer to a PUT that made the resource; 201 tells its Location", "4", 200, 201, 204
    )
    update_status: int = _open(204, "answer to a POST that updated what is there", "4; 16", 200, 204)
    delete_status: int = _open(204, "answer to a DELETE", "4", 200, 204)
    reading_post: str = _open(
        "201 Location",
        "answer to mirror readings that were posted",
        "16; BASIC-029; 2.5",
        "201 Location",
        "201",
        "204",
    )
    foreign_reading_mrid: str = _open(
        "take",
        "a new MirrorMeterReading with the mRID of one of another client: taken as another, or 403",
        "7; S-ALL-05",
        "take",
        "403",
    )
    full_mirror_link: bool = _open(
        False, "MirrorUsagePointListLink stays in DeviceCapability when there is no room", "16"
    )
    connection_point_status: int = _open(
        204, "answer to a ConnectionPoint that is put again", "2.5; S-ALL-53", 201, 204
    )
    connection_point_nmi: bool = _open(
        False, "a connectionPointId must be an NMI of Australia, its check digit right", "S-OPT-02"
    )
    connection_point_error: int = _open(400, "answer to a malformed ConnectionPoint", "2.5", 400, 422)
    post_for_put: bool = _open(
        False, "a POST of DERCapability, DERSettings, DERStatus and DERAvailability is a PUT", "2.5"
    )
    unimplemented_status: int = _open(
        405, "answer to a method that the standard allows and the server has not", "4", 405, 501
    )

    repeated_subscription_status: int = _open(
        204, "answer to a Subscription to what is subscribed to already", "14; S-ALL-26", 200, 201, 204
    )
    notification_statuses: tuple[int, ...] = _open(
        (*range(200, 300),), "answers to a Notification that mean that it arrived", "14; ERR-002; 2.5"
    )
    notification_end_statuses: tuple[int, ...] = _open(
        (400,), "answers to a Notification that end the Subscription", "14; 2.5"
    )
    notification_limit_0: str = _open(
        "empty_list", "what a Notification holds where `limit` is 0", "14", "empty_list", "nothing"
    )

    level: str = _open("-S1", "level of the media types that is told by DNS-SD", "3; 8", "-S1", "+S1")
    version_discovery_status: int = _open(
        404, "answer at /.well-known/csipaus where no version is to be chosen", "2.1", 404, 410
    )
    post_rate_s: int = _open(300, "postRate of new EndDevices and MirrorUsagePoints", "6; 2.3")
    poll_rate: Mapping[str, int] = field(
        default_factory=dict,
        metadata={"about": "pollRate by resource; the others have 900 s", "source": "6; CSIP 1.8; 2.3"},
    )

    def poll_rate_of(self, kind: str) -> int | None:
        """PollRate of a resource, None where the default of the standard holds."""
        return rate_in(self.poll_rate, kind)


BASE_PROFILE: Final = ServerProfile()
CSIP_PROFILE: Final = replace(
    BASE_PROFILE,
    name="csip",
    xml=replace(BASE, name="csip"),
    function_sets=CSIP_FUNCTION_SETS,
    poll_rate=REFERENCE_RATES,
)
CSIP_AUS_V1_2_PROFILE: Final = replace(
    CSIP_PROFILE,
    name="csip_aus_v1.2",
    xml=csip_aus.CSIP_AUS_V1_2,
    duplicate_end_device_status=409,
    open_mirror_list=True,
    wrong_sfdi_status=403,
    pen_suffix=True,
    list_limit=500,
    foreign_reading_mrid="403",
    connection_point_error=422,
    post_for_put=True,
    default_set_grad_w=27,
    level="+S1",
    version_discovery_status=410,
)
PROFILES: Final[Mapping[str, ServerProfile]] = MappingProxyType(
    {
        "base": BASE_PROFILE,
        "csip": CSIP_PROFILE,
        "csip_aus": replace(CSIP_AUS_V1_2_PROFILE, name="csip_aus"),
        "csip_aus_v1.1a": replace(CSIP_AUS_V1_2_PROFILE, name="csip_aus_v1.1a", xml=csip_aus.CSIP_AUS_V1_1A),
        "csip_aus_v1.2": CSIP_AUS_V1_2_PROFILE,
        "csip_aus_v1.3_storage": replace(
            CSIP_AUS_V1_2_PROFILE, name="csip_aus_v1.3_storage", xml=csip_aus.CSIP_AUS_V1_3_STORAGE
        ),
        "csip_aus_v1.3": replace(
            CSIP_AUS_V1_2_PROFILE,
            name="csip_aus_v1.3",
            xml=csip_aus.CSIP_AUS_V1_3,
            function_sets=tuple(sorted((*CSIP_FUNCTION_SETS, "tp"))),
        ),
    }
)
"""By the name that settings use."""


def rules() -> tuple["Field[Any]", ...]:
    """The fields that decide something, in the order of the documentation."""
    return tuple(f for f in fields(ServerProfile) if f.metadata)


def default_of(rule: "Field[Any]") -> object:
    """What a rule is in the standard."""
    return rule.default if rule.default is not MISSING else {}
