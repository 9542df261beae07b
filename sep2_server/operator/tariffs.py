"""Operations on pricing: tariffs of a group, their rate components, intervals and blocks. 10.5."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from schemas import ConsumptionTariffInterval, Json, RateComponent, ReadingType, TariffProfile, json_of
from schemas.codes_metering import FlowDirectionType
from sep2_server.operator import resources
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.function_rules import default_below
from sep2_server.operator.happenings import (
    list_href,
    listed,
    programs_of,
    publish,
    state_of,
    times_of,
    without_none,
)
from sep2_server.operator.quantities import amount, plain
from sep2_server.operator.requests_events import SERVICES, AddComponent, AddInterval, AddTariff, Block
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import put_item
from sep2_server.rows import Row

PROFILE: Final = "TariffProfile"
COMPONENT: Final = "RateComponent"
INTERVAL: Final = "TimeTariffInterval"
BLOCKS: Final = "ConsumptionTariffIntervalList"
LIST_THEM: Final = "lineside op tariff list GROUP"
_FLOWS: Final = {"forward": FlowDirectionType.FORWARD, "reverse": FlowDirectionType.REVERSE}
_INT32: Final = (-(2**31), 2**31 - 1)


def add_tariff(desk: Desk, call: Call) -> Answer:
    """Add a tariff for the devices of a group; its prices come with its components and their intervals."""
    asked, group = read(AddTariff, call.body), desk.group(call.names["group"])
    body = without_none(
        {
            "currency": asked.currency,
            "pricePowerOfTenMultiplier": asked.power_of_ten,
            "primacy": asked.primacy,
            "serviceCategoryKind": SERVICES.index(asked.service),
            "rateCode": asked.rate_code,
            "description": asked.description,
        }
    )
    home = desk.environment.uris.of(f"{PROFILE}List")
    added = resources.add(desk, Call(query={"href": home, "group": group.name}, body=body, now=desk.now))
    return _told(desk, desk.reader.by_href(str(added["href"])), TariffProfile)


def list_tariffs(desk: Desk, call: Call) -> Answer:
    """The tariffs of a group with their components and the intervals of those, all or those in one state."""
    group, state = desk.group(call.names["group"]), state_of(call)
    found: list[Json] = []
    for tariff in programs_of(desk, group, PROFILE):
        components = desk.items(tariff, f"{COMPONENT}List")
        shown: list[Json] = [_component(desk, row, state) for row in components]
        found.append({**_told(desk, tariff, TariffProfile), COMPONENT: shown})
    return {"group": group.name, "tariffs": found}


def remove_tariff(desk: Desk, call: Call) -> Answer:
    """Remove a tariff with all its prices. Conflict while an interval is open, but with `force`."""
    return _removed(desk, call, call.names["tariff"], PROFILE)


def add_component(desk: Desk, call: Call) -> Answer:
    """Add a rate component to a tariff."""
    asked, tariff = read(AddComponent, call.body), desk.of_mrid(call.names["tariff"], PROFILE, LIST_THEM)
    usual = json_of(default_below("RateComponentReadingType", {}))
    kind = {**usual, "flowDirection": int(_FLOWS[asked.flow]), **(asked.reading_type or {})}
    body = without_none(
        {
            "roleFlags": asked.role_flags.upper(),
            "ReadingType": kind,
            "flowRateStartLimit": asked.start_limit,
            "flowRateEndLimit": asked.end_limit,
            "description": asked.description,
        }
    )
    href = list_href(desk, tariff, f"{COMPONENT}List")
    added = resources.add(desk, Call(query={"href": href}, body=body, now=desk.now))
    return _told(desk, desk.reader.by_href(str(added["href"])), RateComponent)


def add_interval(desk: Desk, call: Call) -> Answer:
    """Publish the prices of a rate component for a time."""
    asked, component = (
        read(AddInterval, call.body),
        desk.of_mrid(call.names["component"], COMPONENT, LIST_THEM),
    )
    if not asked.blocks:
        raise BadRequest("ConsumptionTariffInterval: no price is given", "give at least one block")
    tariff = _tariff_of(desk, component)
    ordered = sorted(asked.blocks, key=lambda block: block.start_value)
    first = 0 if len(ordered) == 1 else 1
    blocks = [_block(tariff, block, first + number) for number, block in enumerate(ordered)]
    body = {**times_of(asked), "touTier": asked.tier, "ConsumptionTariffInterval": blocks}
    told = publish(desk, component, f"{INTERVAL}List", body)
    return {**told, "component": component.mrid, "prices": _prices(desk, tariff, str(told["href"]))}


def add_block(desk: Desk, call: Call) -> Answer:
    """Add the price of a further block of consumption to an interval.

    Blocks that nobody has numbered are counted by their startValue.
    """
    asked, interval = read(Block, call.body), desk.of_mrid(call.names["interval"], INTERVAL, LIST_THEM)
    tariff = _tariff_of(desk, interval)
    held = _blocks(desk, interval)
    numbers = [block.consumptionBlock for _, block in held]
    is_counted = asked.number is None and numbers in ([0], [*range(1, len(held) + 1)])
    href = list_href(desk, interval, BLOCKS)
    body = _block(tariff, asked, max(numbers, default=0) + 1)
    added = resources.add(desk, Call(query={"href": href}, body=body, now=desk.now))
    if is_counted:
        for number, (row, block) in enumerate(_blocks(desk, interval), 1):
            if block.consumptionBlock != number:
                put_item(desk, row, replace(block, consumptionBlock=number))
    return {"href": added["href"], "prices": _prices(desk, tariff, interval.href)}


def _blocks(desk: Desk, interval: Row) -> list[tuple[Row, ConsumptionTariffInterval]]:
    """The blocks of an interval by their startValue."""
    held = [(row, desk.resource(row, ConsumptionTariffInterval)) for row in desk.items(interval, BLOCKS)]
    return sorted(held, key=lambda block: block[1].startValue)


def remove_component(desk: Desk, call: Call) -> Answer:
    """Remove a rate component with its prices. Conflict while an interval is open, but with `force`."""
    return _removed(desk, call, call.names["component"], COMPONENT)


def _removed(desk: Desk, call: Call, mrid: str, kind: str) -> Answer:
    row = desk.of_mrid(mrid, kind, LIST_THEM)
    resources.delete(desk, Call(query={**call.query, "href": row.href}, now=desk.now))
    return {"name": mrid}


def _component(desk: Desk, row: Row, state: str | None) -> dict[str, Json]:
    type_row = desk.beside(row, "RateComponentReadingType")
    kind = None if type_row is None else json_of(desk.resource(type_row, ReadingType))
    tariff = _tariff_of(desk, row)
    intervals: list[Json] = [
        {**one, "prices": _prices(desk, tariff, str(one["href"]))}
        for one in listed(desk, row, f"{INTERVAL}List", state)
    ]
    return {**_told(desk, row, RateComponent), "ReadingType": kind, "intervals": intervals}


def _tariff_of(desk: Desk, below: Row) -> TariffProfile:
    """The tariff that a component or an interval is of."""
    owner = None if below.owner_id is None else desk.reader.by_id(below.owner_id)
    if owner is None:
        raise BadRequest(f"{below.href}: it has no tariff", LIST_THEM)
    return desk.resource(owner, TariffProfile)


def _block(tariff: TariffProfile, block: Block, number: int) -> dict[str, Any]:
    costs = {} if block.costs is None else {"EnvironmentalCost": block.costs}
    return {
        "consumptionBlock": number if block.number is None else block.number,
        "startValue": block.start_value,
        "price": _wire_price(tariff, block.price),
        **costs,
    }


def _wire_price(tariff: TariffProfile, price: int | str) -> int:
    """A price on the wire: a text is in the currency, a number is as it stands there."""
    if isinstance(price, int):
        return price
    power = tariff.pricePowerOfTenMultiplier or 0
    try:
        steps = amount(price, "").scaleb(-power)
    except ValueError as flaw:
        raise BadRequest(f"price: {price!r} cannot be read", f"allowed: {flaw}") from flaw
    if steps != steps.to_integral_value() or not _INT32[0] <= steps <= _INT32[1]:
        step = plain(Decimal(1).scaleb(power))
        raise BadRequest(f"price: {price} cannot stand on the wire", f"allowed: 32 bits in steps of {step}")
    return int(steps)


def _prices(desk: Desk, tariff: TariffProfile, interval: str) -> list[Json]:
    """The blocks of an interval with their prices in the currency, the first block first."""
    row = desk.reader.by_href(interval)
    power = tariff.pricePowerOfTenMultiplier or 0
    blocks = [] if row is None else desk.items(row, BLOCKS)
    values = [desk.resource(block, ConsumptionTariffInterval) for block in blocks]
    return [
        {
            "startValue": value.startValue,
            "consumptionBlock": value.consumptionBlock,
            "price": None if value.price is None else plain(Decimal(value.price).scaleb(power)),
        }
        for value in values
    ]


def _told(desk: Desk, row: Row | None, cls: type) -> dict[str, Json]:
    if row is None:
        raise BadRequest(f"{cls.__name__}: it is gone", LIST_THEM)
    held = json_of(desk.resource(row, desk.environment.codec.profile.resolve(cls)))
    return {"mRID": held.get("mRID"), "href": row.href, cls.__name__: held}
