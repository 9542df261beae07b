"""`lineside op tariff`: what energy costs, for the devices of a group. IEEE 2030.5-2018, 10.5."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import (
    Row,
    Shown,
    UsageError,
    columns,
    command,
    given,
    listed,
    moment,
    number_or_text,
    rows_of,
)
from sep2_server.operator.commands_events import STATES, add_actions, add_times, text_of, times_of
from sep2_server.operator.requests_events import FLOWS, SERVICES

COLUMNS = ("kind", "status", "start", "duration", "what", "mRID")


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser(
        "tariff", help="pricing: tariffs, rate components, intervals with prices"
    ).add_subparsers(metavar="ACTION", required=True)
    parser = command(
        actions, "add", add, example="tariff add feeder-7 --currency 978 --description 'day night'"
    )
    parser.add_argument("group", help="the group whose devices see it")
    parser.add_argument(
        "--currency", type=int, required=True, metavar="N", help="ISO 4217 number: 978 is EUR"
    )
    parser.add_argument("--power-of-ten", type=int, metavar="N", help="of all prices (-4: steps of 0.0001)")
    parser.add_argument("--primacy", type=int, metavar="N", help="0 to 255, the lower wins (1)")
    parser.add_argument("--service", choices=SERVICES, help="electricity where not said")
    parser.add_argument("--rate-code", metavar="TEXT", help="20 octets")
    parser.add_argument("--description", help="32 octets")
    _add_component(actions)
    _add_interval(actions)
    parser = command(actions, "block", block, example="tariff block INTERVAL 100=0.40")
    parser.add_argument("interval", help="mRID of the TimeTariffInterval")
    parser.add_argument("price", help="START=PRICE: from so many units on")
    parser = command(actions, "list", list_tariffs, example="tariff list feeder-7")
    parser.add_argument("group", help="name of the group")
    parser.add_argument("--state", choices=STATES, help="only intervals in this state")
    for name, run, what in (
        ("remove", remove, "TariffProfile"),
        ("remove-component", remove_component, "RateComponent"),
    ):
        parser = command(actions, name, run, example=f"tariff {name} MRID")
        parser.add_argument("mrid", help=f"mRID of the {what}")
        parser.add_argument("--force", action="store_true", help="even with intervals that are not over")
    add_actions(actions, "tariff", "TimeTariffInterval")


def _add_component(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(actions, "component", component, example="tariff component TARIFF --flow forward")
    parser.add_argument("tariff", help="mRID of the TariffProfile")
    parser.add_argument("--flow", choices=FLOWS, help="delivered to the customer (forward), or taken from it")
    parser.add_argument("--uom", type=int, metavar="N", help="unit: 72 is Wh, 195 (CSIP-AUS) a day")
    parser.add_argument("--unit-power", type=int, metavar="N", help="its power of ten: 3 makes kWh of Wh")
    parser.add_argument("--kind", type=int, metavar="N", help="kind of the reading: 12 energy, 37 power")
    parser.add_argument("--description", help="32 octets")


def _add_interval(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    example = "tariff interval COMPONENT 0=0.30 100=0.40 --tier 1 --at 2026-07-01T06:00:00Z --for 16h"
    parser = command(actions, "interval", interval, example=example)
    parser.add_argument("component", help="mRID of the RateComponent")
    parser.add_argument(
        "price", nargs="+", help="PRICE, or START=PRICE for each block of consumption, the first from 0"
    )
    parser.add_argument("--tier", type=int, metavar="N", help="touTier, 0 to 15")
    add_times(parser, is_random=True)


def add(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add a tariff for the devices of a group."""
    body = given(
        currency=args.currency,
        pricePowerOfTenMultiplier=args.power_of_ten,
        primacy=args.primacy,
        serviceCategoryKind=args.service,
        rateCode=args.rate_code,
        description=args.description,
    )
    return _made(api.call("POST", ("groups", args.group, "tariffs"), body), "TariffProfile")


def component(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add a rate component to a tariff: prices of one kind of reading."""
    kind = given(uom=args.uom, powerOfTenMultiplier=args.unit_power, kind=args.kind)
    body = given(flowDirection=args.flow, description=args.description, ReadingType=kind or None)
    return _made(api.call("POST", ("tariffs", args.tariff, "components"), body), "RateComponent")


def interval(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Publish the prices of a rate component for a time."""
    body = {
        **times_of(args),
        **given(touTier=args.tier),
        "ConsumptionTariffInterval": [_block(text) for text in args.price],
    }
    answer = api.call("POST", ("components", args.component, "intervals"), body)
    return Shown(data=answer, text=text_of({**answer, "prices": _prices(answer)}))


def block(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add the price of a further block of consumption to an interval."""
    answer = api.call("POST", ("intervals", args.interval, "blocks"), _block(args.price))
    return Shown(data=answer, text=_prices(answer))


def list_tariffs(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the tariffs of a group with their components and intervals."""
    answer = api.get("groups", args.group, "tariffs", state=args.state)
    rows: list[Row] = []
    for tariff in rows_of(answer, "tariffs"):
        rows.append(_row(tariff, "tariff", "TariffProfile"))
        for part in rows_of(tariff, "RateComponent"):
            rows.append(_row(part, "component", "ReadingType"))
            rows.extend(
                {**one, "kind": "interval", "start": moment(one.get("start")), "what": _prices(one)}
                for one in rows_of(part, "intervals")
            )
    return Shown(data=answer, text=columns(rows, COLUMNS, empty="the group has no tariff"))


def remove(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Remove a tariff with all its prices."""
    return _removed(api, "tariffs", args)


def remove_component(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Remove a rate component with its prices."""
    return _removed(api, "components", args)


def _removed(api: OperatorClient, where: str, args: argparse.Namespace) -> Shown:
    query = {"force": "true"} if args.force else None
    answer = api.call("DELETE", (where, args.mrid), query=query)
    return Shown(data=answer, text=f"{args.mrid} is removed")


def _block(text: str) -> dict[str, object]:
    start, equals, price = text.rpartition("=")
    if not equals:
        return {"price": text}
    value = number_or_text(start)
    if not isinstance(value, int):
        raise UsageError(f"{text}: {start!r} is no whole number", "write START=PRICE, as in 100=0.40")
    return {"startValue": value, "price": price}


def _prices(answer: Row) -> str:
    return ", ".join(f"{one['price']} from {one['startValue']}" for one in rows_of(answer, "prices"))


def _made(answer: Row, kind: str) -> Shown:
    held = answer.get(kind)
    return Shown(data=answer, text=listed(held if isinstance(held, dict) else answer))


def _row(answer: Row, kind: str, told: str) -> Row:
    held = answer.get(told)
    fields: Row = held if isinstance(held, dict) else {}
    names = ("description", "currency", "rateCode", "flowDirection", "uom", "powerOfTenMultiplier")
    what = ", ".join(f"{name} {fields[name]}" for name in names if name in fields)
    return {"kind": kind, "mRID": answer.get("mRID"), "what": what}
