"""What the VTN of 3.x keeps, who may see and write it, and what makes a body wrong."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from openadr_ven.v3.version import ObjectType, Version

Json = dict[str, object]
LISTS: Final = {
    "programs": ObjectType.PROGRAM,
    "events": ObjectType.EVENT,
    "reports": ObjectType.REPORT,
    "subscriptions": ObjectType.SUBSCRIPTION,
    "vens": ObjectType.VEN,
    "resources": ObjectType.RESOURCE,
}
VEN_WRITES: Final = frozenset(
    {ObjectType.REPORT, ObjectType.SUBSCRIPTION, ObjectType.VEN, ObjectType.RESOURCE}
)
REQUIRED: Final = {
    ObjectType.PROGRAM: ("programName",),
    ObjectType.EVENT: ("programID",),
    ObjectType.REPORT: ("eventID", "clientName", "resources"),
    ObjectType.SUBSCRIPTION: ("clientName", "objectOperations"),
    ObjectType.VEN: ("venName",),
    ObjectType.RESOURCE: ("resourceName", "venID"),
}
REQUIRED_301: Final = {
    ObjectType.EVENT: ("intervals",),
    ObjectType.REPORT: ("programID",),
    ObjectType.SUBSCRIPTION: ("programID",),
}
UNIQUE: Final = {
    ObjectType.PROGRAM: ("programName",),
    ObjectType.VEN: ("venName",),
    ObjectType.RESOURCE: ("venID", "resourceName"),
}
FILTERS: Final = ("programID", "eventID", "clientName", "venName", "venID", "resourceName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who has credentials: business logic, or a VEN."""

    client_id: str
    secret: str
    is_ven: bool = True


@dataclass(slots=True)
class Store:
    """All objects by kind and id, in the order in which they were made."""

    version: Version
    objects: dict[ObjectType, dict[str, Json]] = field(
        default_factory=lambda: {kind: {} for kind in ObjectType}
    )
    count: int = 0

    def create(self, kind: ObjectType, body: Json, client: Client | None, now: float) -> Json:
        """A new object with what a VTN stamps on it."""
        self.count += 1
        made = stamp(now)
        found = {
            **body,
            "id": f"{kind.lower()}-{self.count}",
            "createdDateTime": made,
            "modificationDateTime": made,
            "objectType": kind.value,
        }
        if self.version is Version.V310:
            found |= self._of_310(kind, body, client)
        self.objects[kind][str(found["id"])] = found
        return found

    def change(self, kind: ObjectType, before: Json, body: Json, now: float) -> Json:
        """An object in place of the one before, with its id."""
        kept = {key: before[key] for key in ("id", "createdDateTime", "objectType")}
        kept |= {key: before[key] for key in ("clientID",) if key in before}
        found = {**body, **kept, "modificationDateTime": stamp(now)}
        self.objects[kind][str(before["id"])] = found
        return found

    def wrong(self, kind: ObjectType, body: Json, own_id: str = "") -> tuple[int, str] | None:
        """The status and reason of a body that is not taken."""
        names = REQUIRED[kind] + (REQUIRED_301.get(kind, ()) if self.version is Version.V301 else ())
        missing = [name for name in names if not body.get(name)]
        if missing and not (missing == ["intervals"] and "intervals" in body):
            return 400, f"missing: {', '.join(missing)}"
        of_request = {ObjectType.VEN: "VEN_REQUEST", ObjectType.RESOURCE: "RESOURCE_REQUEST"}.get(kind)
        word = str(body.get("objectType", ""))
        if self.version is Version.V310 and of_request is not None and not word.endswith(of_request):
            return 400, f"objectType {word} is no request"
        if kind is ObjectType.REPORT and body["eventID"] not in self.objects[ObjectType.EVENT]:
            return 404, "no such event"
        unique = UNIQUE.get(kind)
        if unique is not None:
            same = [
                one
                for one in self.objects[kind].values()
                if one["id"] != own_id and all(one.get(name) == body.get(name) for name in unique)
            ]
            if same:
                return 409, "exists already"
        return None

    def shown(self, kind: ObjectType, query: Iterable[tuple[str, str]], client: Client | None) -> list[Json]:
        """What a client sees of a kind, in order."""
        asked = list(query)
        found = list(self.objects[kind].values())
        for name in FILTERS:
            wanted = [value for key, value in asked if key == name]
            if wanted:
                found = [one for one in found if one.get(name) in wanted]
        if self.version is Version.V310 and kind in {ObjectType.PROGRAM, ObjectType.EVENT}:
            named = {value for key, value in asked if key == "targets"}
            return self._private(found, named, client)
        return found

    def _private(self, found: list[Json], named: set[str], client: Client | None) -> list[Json]:
        """A VEN sees what has no target, or one that it was granted and names. OpenADR 3.1.0."""
        if client is not None and not client.is_ven:
            return [one for one in found if not named or named & targets_of(one)]
        granted = self._granted(client)
        if not named:
            return [one for one in found if not targets_of(one)]
        seen = [one for one in found if named & granted & targets_of(one)]
        return [one | {"targets": sorted(granted & targets_of(one))} for one in seen]

    def _granted(self, client: Client | None) -> set[str]:
        holders = [*self.objects[ObjectType.VEN].values(), *self.objects[ObjectType.RESOURCE].values()]
        owner = "" if client is None else client.client_id
        return {target for one in holders if one.get("clientID") == owner for target in targets_of(one)}

    def _of_310(self, kind: ObjectType, body: Json, client: Client | None) -> Json:
        """Who made it; VENs and resources are shown as business logic would have made them."""
        if kind in {ObjectType.PROGRAM, ObjectType.EVENT}:
            return {}
        return {"clientID": body.get("clientID") or ("public" if client is None else client.client_id)}


def targets_of(one: Json) -> set[str]:
    """Targets of an object in the form of 3.1.0."""
    found = one.get("targets")
    return {str(target) for target in found} if isinstance(found, list) else set()


def stamp(now: float) -> str:
    """A time as a VTN writes it, with its milliseconds."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
