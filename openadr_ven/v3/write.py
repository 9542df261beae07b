"""What a VEN writes to a VTN of 3.x: strictly what the schema of the version has. Raises WriteError else.

OpenADR 3.0.1; OpenADR 3.1.0: VenVenRequest, VenResourceRequest, subscriptionRequest, reportRequest.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from openadr_ven.events import Point, Target, Value
from openadr_ven.iso8601 import duration_text, instant_text
from openadr_ven.v3.errors import WriteError
from openadr_ven.v3.report import Report, ReportInterval, ResourceReport, wrong_payload
from openadr_ven.v3.version import ObjectType, Operation, Version

Json = dict[str, object]
Attributes = Mapping[str, tuple[Value, ...]]
_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_LONGEST_URL: Final = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribing:
    """What a subscription asks for. 3.0.1 needs `programID`; by `bearerToken` we know the VTN."""

    clientName: str
    callbackUrl: str
    bearerToken: str
    objects: tuple[ObjectType, ...]
    operations: tuple[Operation, ...]
    programID: str | None = None
    targets: tuple[Target, ...] = ()


def encoded(body: Json) -> bytes:
    """The JSON text of a body."""
    return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()


def ven_body(version: Version, venName: str, attributes: Attributes | None = None) -> Json:
    """Our VEN, to be created or changed. A VEN of 3.1.0 may not give itself targets."""
    kind = "VEN" if version is Version.V301 else "VEN_VEN_REQUEST"
    return {"objectType": kind, "venName": name_text("venName", venName), **_attributes(attributes)}


def resource_body(
    version: Version, resourceName: str, ven_id: str, attributes: Attributes | None = None
) -> Json:
    """A resource of our VEN."""
    kind = "RESOURCE" if version is Version.V301 else "VEN_RESOURCE_REQUEST"
    name = name_text("resourceName", resourceName)
    return {
        "objectType": kind,
        "resourceName": name,
        "venID": id_text("venID", ven_id),
        **_attributes(attributes),
    }


def subscription_body(version: Version, asked: Subscribing) -> Json:
    """A subscription by webhook. Operations have the same words in both versions here."""
    parts = urlsplit(asked.callbackUrl)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(asked.callbackUrl) > _LONGEST_URL:
        raise WriteError("subscription.callbackUrl: no URL of a web server")
    if not asked.objects or not asked.operations or not asked.bearerToken:
        raise WriteError("subscription: without objects, operations or token")
    if version is Version.V301 and asked.programID is None:
        raise WriteError("subscription.programID: missing, 3.0.1 requires it")
    body: Json = {"clientName": name_text("clientName", asked.clientName)}
    if version is Version.V301:
        body["objectType"] = ObjectType.SUBSCRIPTION.value
    if asked.programID is not None:
        body["programID"] = id_text("programID", asked.programID)
    body["objectOperations"] = [
        {
            "objects": [one.value for one in asked.objects],
            "operations": [one.value for one in asked.operations],
            "callbackUrl": asked.callbackUrl,
            "bearerToken": asked.bearerToken,
        }
    ]
    return body | ({"targets": targets_json(version, asked.targets)} if asked.targets else {})


def report_body(version: Version, report: Report) -> Json:
    """A report; in 3.1.0 it names its event alone."""
    if not report.resources:
        raise WriteError("report.resources: empty")
    body: Json = {"eventID": id_text("eventID", report.eventID)}
    if version is Version.V301:
        body |= {
            "objectType": ObjectType.REPORT.value,
            "programID": id_text("programID", report.programID),
        }
    body |= {
        "clientName": name_text("clientName", report.clientName),
        "reportName": report.reportName,
        "resources": [_resource_json(one) for one in report.resources],
    }
    if report.payloadDescriptors:
        body["payloadDescriptors"] = [
            {"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": one.payloadType}
            | ({"readingType": one.readingType} if one.readingType else {})
            | ({"units": one.units} if one.units else {})
            for one in report.payloadDescriptors
        ]
    return body


def targets_json(version: Version, targets: Sequence[Target]) -> list[object]:
    """Targets in the form of the version: kinds are lost in 3.1.0, and have to be there in 3.0.1."""
    if version is Version.V310:
        return [name_text("target", one.value) for one in targets]
    kinds = dict.fromkeys(one.kind for one in targets)
    if "" in kinds:
        raise WriteError("target.type: missing, 3.0.1 requires it")
    return [{"type": kind, "values": [one.value for one in targets if one.kind == kind]} for kind in kinds]


def name_text(place: str, text: str) -> str:
    """A name of 1 to 128 characters."""
    if not 1 <= len(text) <= 128:
        raise WriteError(f"{place}: {text[:40]!r} is not of 1 to 128 characters")
    return text


def id_text(place: str, text: str) -> str:
    """An identifier of a VTN."""
    if not _ID.fullmatch(text):
        raise WriteError(f"{place}: {text[:40]!r} is no identifier")
    return text


def _attributes(attributes: Attributes | None) -> Json:
    if not attributes:
        return {}
    return {"attributes": [_values_map(name, values) for name, values in attributes.items()]}


def _values_map(kind: str, values: Sequence[Value]) -> Json:
    return {"type": name_text("type", kind), "values": [value_json(one) for one in values]}


def value_json(value: Value) -> object:
    """A value of a payload in JSON. Raises WriteError for a number that JSON has not."""
    if isinstance(value, Point):
        return {"x": value_json(value.x), "y": value_json(value.y)}
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise WriteError(f"value: {value} is no number of JSON")
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _resource_json(one: ResourceReport) -> Json:
    if not one.intervals:
        raise WriteError(f"report of {one.resourceName}: no intervals")
    name = name_text("resourceName", one.resourceName)
    return {"resourceName": name, "intervals": [_interval_json(row) for row in one.intervals]}


def _interval_json(row: ReportInterval) -> Json:
    for payload in row.payloads:
        wrong = wrong_payload(payload)
        if wrong is not None:
            raise WriteError(f"report payload {payload.type}: {wrong}")
    body: Json = {"id": row.id}
    if row.start is not None:
        period: Json = {"start": instant_text(row.start)}
        body["intervalPeriod"] = period | (
            {} if row.duration_s is None else {"duration": duration_text(row.duration_s)}
        )
    return body | {"payloads": [_values_map(one.type, one.values) for one in row.payloads]}
