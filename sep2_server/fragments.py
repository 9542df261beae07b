"""Fragments that are alike but for some numbers and hex digits: encoded once, filled in from then on.

What is filled in needs no escape in XML: numbers, hex digits and URIs of the server.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas import (
    Codec,
    DateTimeInterval,
    MirrorMeterReading,
    MirrorReadingSet,
    ReadingListLink,
    ReadingSet,
)

Make = Callable[[Mapping[str, Any]], ReadingSet | MirrorMeterReading]
"""Makes a resource of the values of its fields by their names."""


class Fragments:
    """The fragments of what readings bring, by one codec."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._templates: dict[Make, str] = {}

    def reading_set(self, posted: MirrorReadingSet, href: str, list_href: str) -> bytes:
        """The ReadingSet at a URI that copies a posted one, whose readings are at another."""
        period = posted.timePeriod
        values = {
            "href": href,
            "mRID": posted.mRID,
            "duration": period.duration,
            "start": period.start,
            "list": list_href,
        }
        if posted.description is None and posted.version is None:
            return self._filled(_set_of, values)
        value = _set_of(values)
        value.description, value.version = posted.description, posted.version
        return self._codec.fragment(value)

    def update_times(self, mrid: str, href: str, last: int | None, following: int | None) -> bytes:
        """What a device says of when it last had, and will next have, something to post; s since 1970 UTC."""
        values = {"href": href, "mRID": mrid, "last": last, "next": following}
        if last is not None and following is None:
            return self._filled(_last_of, values)
        value = _last_of(values)
        value.nextUpdateTime = following
        return self._codec.fragment(value)

    def _filled(self, make: Make, values: Mapping[str, object]) -> bytes:
        """What `make` makes of values that are all there, encoded."""
        template = self._templates.get(make)
        if template is None:
            places = {name: f"%({name})s" for name in values}
            template = self._templates[make] = self._codec.fragment(make(places)).decode()
        return (template % values).encode()


def _set_of(values: Mapping[str, Any]) -> ReadingSet:
    return ReadingSet(
        href=values["href"],
        mRID=values["mRID"],
        timePeriod=DateTimeInterval(duration=values["duration"], start=values["start"]),
        ReadingListLink_=ReadingListLink(href=values["list"]),
    )


def _last_of(values: Mapping[str, Any]) -> MirrorMeterReading:
    return MirrorMeterReading(href=values["href"], mRID=values["mRID"], lastUpdateTime=values["last"])
