"""What the operator API tells of a device, as values: pure. docs/reference/operator_api.md.

The API tells readings in their unit and texts as `5000 W` or `55 %`; the multiplier of the wire is gone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from openadr_ven.back.known import Der, Grade, Sample, Series
from schemas.codes_metering import QualityFlags as Flag

Table = Mapping[str, Any]
DOUBTFUL: Final = sum(
    1 << flag
    for flag in (
        Flag.ESTIMATED_USING_REFERENCE_DAY,
        Flag.ESTIMATED_USING_LINEAR_INTERPOLATION,
        Flag.PROJECTED,
    )
)
VALID: Final = 1 << Flag.VALID
QUESTIONABLE: Final = 1 << Flag.QUESTIONABLE
PERCENT: Final = Decimal(100)
BEYOND: Final = 10**15
"""No device has so many W or Wh: what tells so much is broken, and is heard as if it had told nothing."""


def series_of(told: Table) -> Series:
    """A MeterReading without its values."""
    return Series(
        mRID=str(told["mRID"]),
        uom=told.get("uom"),
        kind=told.get("kind"),
        flowDirection=told.get("flowDirection"),
        phase=told.get("phase"),
        dataQualifier=told.get("dataQualifier"),
        accumulationBehaviour=told.get("accumulationBehaviour"),
        roleFlags=int(told.get("roleFlags") or "0", 16),
    )


def samples_of(values: Iterable[Table], *, without_time_at: int | None = None) -> Iterator[Sample]:
    """Values of a series; one without a time is of the second `without_time_at`, or left out.

    What no device can have is left out too.
    """
    for one in values:
        start = without_time_at if one.get("time") is None else int(one["time"])
        value = one.get("value")
        if start is None or not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if abs(value) < BEYOND:
            yield Sample(
                start=start,
                duration_s=int(one.get("duration") or 0),
                value=Decimal(str(value)),
                grade=grade_of(one.get("quality")),
            )


def grade_of(flags: object) -> Grade:
    """How good qualityFlags say a value is; none say nothing against it. IEEE 2030.5-2018, 10.4.

    Questionable is what failed a check: bad, unless it was found to be valid all the same.
    """
    if not isinstance(flags, str) or not flags:
        return Grade.GOOD
    bits = int(flags, 16)
    if bits & QUESTIONABLE:
        return Grade.UNCERTAIN if bits & VALID else Grade.BAD
    return Grade.UNCERTAIN if bits & DOUBTFUL else Grade.GOOD


def merged(held: Sequence[Sample], found: Iterable[Sample], *, since: int) -> tuple[Sample, ...]:
    """Samples by start: a new one takes the place of that of its period. What ended before is forgotten.

    The last one stays, however old it is: it is what is known.
    """
    places = {(one.start, one.duration_s): one for one in (*held, *found)}
    ordered = sorted(places.values(), key=lambda one: (one.start, one.duration_s))
    return tuple(one for one in ordered if one.end >= since) or tuple(ordered[-1:])


def with_samples(series: Series, held: Sequence[Sample], found: Iterable[Sample], since: int) -> Series:
    """A series with what was held of it and what was found."""
    return replace(series, samples=merged(held, found, since=since))


def ders_of(told: Table) -> tuple[Der, ...]:
    """The DERs of a device, as far as each reported anything."""
    return tuple(der_of(one) for one in told.get("DER") or [] if one.get("DERStatus") or _ratings(one))


def der_of(told: Table) -> Der:
    """One DER: its status, and its capability with its settings put over it."""
    status: Table = told.get("DERStatus") or {}
    ratings = _ratings(told)
    soc = amount(_value(status, "stateOfChargeStatus"))
    return Der(
        readingTime=status.get("readingTime"),
        operationalModeStatus=_value(status, "operationalModeStatus"),
        localControlModeStatus=_value(status, "localControlModeStatus"),
        inverterStatus=_value(status, "inverterStatus"),
        storageModeStatus=_value(status, "storageModeStatus"),
        genConnectStatus=_bits(_value(status, "genConnectStatus")),
        storConnectStatus=_bits(_value(status, "storConnectStatus")),
        alarmStatus=_bits(status.get("alarmStatus")),
        soc=None if soc is None else soc / PERCENT,
        setMaxW=ratings.get("MaxW"),
        setMaxChargeRateW=ratings.get("MaxChargeRateW"),
        setMaxDischargeRateW=ratings.get("MaxDischargeRateW"),
        rtgMaxChargeRateW=amount((told.get("DERCapability") or {}).get("rtgMaxChargeRateW")),
        setMaxWh=ratings.get("MaxWh"),
    )


def amount(text: object) -> Decimal | None:
    """The number of a text such as `5000 W`; None for what is none, or is what no device can have."""
    if not isinstance(text, str):
        return None
    try:
        number = Decimal(text.partition(" ")[0])
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < BEYOND else None


def _ratings(told: Table) -> dict[str, Decimal]:
    """Ratings by their name without prefix; a setting counts before the nameplate."""
    found: dict[str, Decimal] = {}
    for kind, prefix in (("DERCapability", "rtg"), ("DERSettings", "set")):
        for name, text in (told.get(kind) or {}).items():
            value = amount(text)
            if name.startswith(prefix) and value is not None:
                found[name.removeprefix(prefix)] = value
    return found


def _value(status: Table, name: str) -> Any:  # noqa: ANN401
    return (status.get(name) or {}).get("value")


def _bits(told: object) -> int:
    return int(told, 16) if isinstance(told, str) and told else told if isinstance(told, int) else 0
