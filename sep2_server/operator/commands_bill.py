"""`lineside op bill`: accounts of customers, agreements, periods, and the readings of bills from CSV."""

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, UsageError, columns, command, given, listed, rows_of
from sep2_server.operator.item_lines import twice

NUMBERS: Final = ("start", "duration", "value", "touTier", "consumptionBlock")
CHARGE: Final = ("chargeKind", "chargeValue", "chargeDescription")
COLUMNS: Final = (*NUMBERS, *CHARGE)
"""Columns of the CSV; start, duration and value must be there. Lines of one reading are its charges."""


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser(
        "bill", help="billing: accounts, agreements, periods, readings"
    ).add_subparsers(metavar="ACTION", required=True)
    parser = command(
        actions, "account", account, example="bill account house-7 --currency 978 --customer Ada"
    )
    parser.add_argument("group", help="the group whose devices see it")
    parser.add_argument(
        "--currency", type=int, required=True, metavar="N", help="ISO 4217 number: 978 is EUR"
    )
    parser.add_argument("--power-of-ten", type=int, metavar="N", help="of all amounts: -2 for cents (0)")
    parser.add_argument("--customer", metavar="TEXT", help="customerName")
    parser.add_argument("--number", metavar="TEXT", help="customerAccount")
    parser.add_argument("--supplier", metavar="TEXT", help="description of the ServiceSupplier")
    parser.add_argument("--supplier-phone", metavar="TEXT", help="its phone")
    parser.add_argument("--supplier-web", metavar="TEXT", help="its web address")
    parser = command(actions, "list", accounts, example="bill list house-7")
    parser.add_argument("group", help="name of the group")
    parser = command(actions, "remove", remove, example="bill remove ACCOUNT")
    parser.add_argument("account", help="mRID of the CustomerAccount")
    parser = command(actions, "agreement", agreement, example="bill agreement ACCOUNT --location 'Elm St 7'")
    parser.add_argument("account", help="mRID of the CustomerAccount")
    parser.add_argument("--location", metavar="TEXT", help="serviceLocation")
    parser.add_argument("--number", metavar="TEXT", help="serviceAccount")
    for name in ("UsagePoint", "TariffProfile", "Prepayment"):
        parser.add_argument(f"--{name}", metavar="MRID", help=f"the {name} that it is about")
    parser.add_argument("--device", metavar="NAME", help="has the UsagePoint, where others use its mRID too")
    parser = command(
        actions, "period", period, example="bill period AGREEMENT --start 1700000000 --duration 2592000"
    )
    parser.add_argument("agreement", help="mRID of the CustomerAgreement")
    parser.add_argument("--start", type=int, required=True, metavar="T", help="s since 1970 UTC")
    parser.add_argument("--duration", type=int, required=True, metavar="S", help="s")
    parser.add_argument("--last", type=int, metavar="N", help="billLastPeriod")
    parser.add_argument("--to-date", type=int, metavar="N", help="billToDate")
    _add_readings(actions)


def _add_readings(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
        actions, "readings", readings, example="bill readings AGREEMENT year.csv --kind historical --uom 72"
    )
    parser.add_argument("agreement", help="mRID of the CustomerAgreement")
    parser.add_argument("path", type=Path, help=f"CSV with the columns {', '.join(COLUMNS)}")
    parser.add_argument("--kind", choices=("historical", "projection", "target"), default="historical")
    parser.add_argument("--description", metavar="TEXT", help="at most 32 octets")
    parser.add_argument("--uom", type=int, metavar="N", help="unit: 72 is Wh")
    parser.add_argument("--power-of-ten", type=int, metavar="N", help="powerOfTenMultiplier")


def account(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Open the account of a customer for the devices of a group."""
    supplier = given(description=args.supplier, phone=args.supplier_phone, web=args.supplier_web)
    body = given(
        currency=args.currency,
        pricePowerOfTenMultiplier=args.power_of_ten,
        customerName=args.customer,
        customerAccount=args.number,
        ServiceSupplier=supplier or None,
    )
    return _shown(api.call("POST", ("groups", args.group, "accounts"), body), "CustomerAccount")


def accounts(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the accounts of a group and their agreements."""
    answer = api.get("groups", args.group, "accounts")
    rows: list[Row] = []
    for one in rows_of(answer, "accounts"):
        rows.append(_line(one, "CustomerAccount", "customerName", "customerAccount"))
        rows.extend(
            _line(under, "CustomerAgreement", "serviceLocation", "serviceAccount")
            for under in rows_of(one, "CustomerAgreement")
        )
    return Shown(
        data=answer, text=columns(rows, ("kind", "mRID", "name", "number"), empty="the group has no account")
    )


def remove(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Remove an account with all that was billed."""
    answer = api.call("DELETE", ("accounts", args.account))
    return Shown(data=answer, text=f"{args.account} is removed")


def agreement(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add an agreement for one service to an account."""
    body = given(
        serviceLocation=args.location,
        serviceAccount=args.number,
        UsagePoint=args.UsagePoint,
        device=args.device,
        TariffProfile=args.TariffProfile,
        Prepayment=args.Prepayment,
    )
    return _shown(api.call("POST", ("accounts", args.account, "agreements"), body), "CustomerAgreement")


def period(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add the period of one bill to an agreement."""
    body = given(start=args.start, duration=args.duration, billLastPeriod=args.last, billToDate=args.to_date)
    return _shown(api.call("POST", ("agreements", args.agreement, "periods"), body), "BillingPeriod")


def readings(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add the readings of a bill from a CSV file."""
    try:
        with args.path.open(encoding="utf-8-sig", newline="") as lines:
            found = readings_of(lines)
    except (OSError, ValueError, csv.Error) as flaw:
        raise UsageError(f"{args.path}: {flaw}", f"give a CSV with {', '.join(COLUMNS)}") from flaw
    body = given(
        kind=args.kind,
        description=args.description,
        BillingReading=found,
        ReadingType=given(uom=args.uom, powerOfTenMultiplier=args.power_of_ten) or None,
    )
    answer = api.call("POST", ("agreements", args.agreement, "readings"), body)
    return Shown(data=answer, text=listed(answer))


def readings_of(lines: Iterable[str]) -> list[dict[str, object]]:
    """BillingReadings in wire form from CSV lines; ValueError names line and column.

    Lines with the same start, tier and block are one reading with several charges.
    """
    table = csv.DictReader(lines)
    names = table.fieldnames or ()
    flaws = [f"no such column: {name}" for name in names if name not in COLUMNS]
    flaws += [f"column missing: {name}" for name in NUMBERS[:3] if name not in names]
    flaws += [f"column {told}" for told in twice(names)]
    if flaws:
        raise ValueError(flaws[0])
    found: dict[tuple[int | None, ...], dict[str, object]] = {}
    for row in table:
        number = {name: _number(row.get(name), name, table.line_num) for name in (*NUMBERS, *CHARGE[:2])}
        key = (number["start"], number["touTier"], number["consumptionBlock"])
        reading = found.setdefault(key, _reading(number, table.line_num))
        charge = given(
            kind=number["chargeKind"], value=number["chargeValue"], description=row.get(CHARGE[2]) or None
        )
        held = reading["Charge"]
        if "value" in charge and isinstance(held, list):
            held.append(charge)
    return list(found.values())


def _reading(number: dict[str, int | None], line: int) -> dict[str, object]:
    for name in NUMBERS[:3]:
        if number[name] is None:
            raise ValueError(f"line {line}: {name} is empty")
    return {
        **given(**{name: number[name] for name in ("value", "touTier", "consumptionBlock")}),
        "timePeriod": {"start": number["start"], "duration": number["duration"]},
        "Charge": [],
    }


def _number(text: str | None, name: str, line: int) -> int | None:
    if text is None or not text.strip():
        return None
    try:
        return int(text)
    except ValueError as flaw:
        raise ValueError(f"line {line}: {name} is {text[:40]!r}, no whole number") from flaw


def _shown(answer: Row, name: str) -> Shown:
    held = answer.get(name)
    return Shown(data=answer, text=listed(held if isinstance(held, dict) else answer))


def _line(answer: Row, kind: str, name: str, number: str) -> Row:
    held = answer.get(kind)
    fields: Row = held if isinstance(held, dict) else {}
    return {"kind": kind, "mRID": answer.get("mRID"), "name": fields.get(name), "number": fields.get(number)}
