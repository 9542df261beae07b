"""`lineside op prepay`: prepaid accounts."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Row, Shown, columns, command, listed, moment, rows_of
from sep2_server.operator.json_value import Json

STATES = {
    0: "connected",
    1: "disconnected",
    2: "armed for connect",
    3: "armed for disconnect",
    4: "no contactor",
    5: "load limited",
}
CREDITS = {0: "ok", 1: "low", 2: "exhausted", 3: "negative"}


def add_parsers(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    actions = below.add_parser("prepay", help="prepaid accounts: credit, charges, supply").add_subparsers(
        metavar="ACTION", required=True
    )
    parser = command(actions, "open", open_account, example="prepay open house-7 --currency 978 --warning 5")
    parser.add_argument("group", help="the group whose devices see it")
    parser.add_argument(
        "--currency", type=int, required=True, metavar="N", help="ISO 4217 number: 978 is EUR"
    )
    for name, says in (
        ("balance", "credit from the start (0)"),
        ("emergency", "emergency credit"),
        ("warning", "lowCreditWarningLevel"),
        ("emergency-warning", "lowEmergencyCreditWarningLevel"),
        ("expiry", "creditExpiryLevel (0)"),
    ):
        parser.add_argument(f"--{name}", metavar="AMOUNT", help=says)
    parser.add_argument("--mode", type=int, metavar="N", help="prepayMode (0 central wallet)")
    parser.add_argument("--no-contactor", action="store_true", help="the supply cannot be cut")
    parser.add_argument("--description", metavar="TEXT", help="at most 32 octets")
    parser = command(actions, "list", accounts, example="prepay list house-7")
    parser.add_argument("group", help="name of the group")
    parser = command(actions, "show", show, example="prepay show MRID")
    parser.add_argument("mrid", help="mRID of the Prepayment")
    parser = command(actions, "credit", credit, example="prepay credit MRID 20.00 --token 5312-8841")
    parser.add_argument("mrid", help="mRID of the Prepayment")
    parser.add_argument("amount", help="in the account's currency")
    parser.add_argument("--token", required=True, metavar="TEXT", help="what the customer paid with")
    parser.add_argument("--emergency", action="store_true", help="emergency credit")
    parser = command(actions, "charge", charge, example="prepay charge MRID 3.20")
    parser.add_argument("mrid", help="mRID of the Prepayment")
    parser.add_argument("amount", help="in the account's currency")
    parser = command(actions, "hold", hold, example="prepay hold MRID --for 86400")
    parser.add_argument("mrid", help="mRID of the Prepayment")
    parser.add_argument("--for", dest="duration", type=int, required=True, metavar="S", help="how long, s")
    parser.add_argument("--from", dest="start", type=int, metavar="T", help="s since 1970 UTC (now)")


def open_account(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Open a prepaid account for the devices of a group."""
    given = {
        "currency": args.currency,
        "prepayMode": args.mode,
        "balance": args.balance,
        "emergencyCredit": args.emergency,
        "lowCreditWarningLevel": args.warning,
        "lowEmergencyCreditWarningLevel": args.emergency_warning,
        "creditExpiryLevel": args.expiry,
        "contactor": False if args.no_contactor else None,
        "description": args.description,
    }
    body = {name: value for name, value in given.items() if value is not None}
    return _shown(api.call("POST", ("groups", args.group, "prepayments"), body))


def accounts(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """List the prepaid accounts of a group."""
    answer = api.get("groups", args.group, "prepayments")
    rows = [_brief(row) for row in rows_of(answer, "accounts")]
    names = ("mRID", "description", "availableCredit", "emergencyCredit", "credit", "supply")
    return Shown(data=answer, text=columns(rows, names, empty="the group has no prepaid account"))


def show(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Show a prepaid account with its credits."""
    answer = api.get("prepayments", args.mrid)
    registers: list[Row] = [
        {"time": moment(row.get("effectiveTime")), "token": row.get("token", "-"), "amount": _amount(row)}
        for row in rows_of(answer, "credits")
    ]
    table = columns(registers, ("time", "token", "amount"), empty="no credit was added")
    return Shown(data=answer, text=f"{listed(_brief(answer))}\n{table}")


def credit(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Add credit to a prepaid account; a token is good once."""
    body = {"amount": args.amount, "token": args.token, "emergency": args.emergency}
    return _shown(api.call("POST", ("prepayments", args.mrid, "credits"), body))


def charge(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Charge consumption to a prepaid account."""
    return _shown(api.call("POST", ("prepayments", args.mrid, "charges"), {"amount": args.amount}))


def hold(api: OperatorClient, args: argparse.Namespace) -> Shown:
    """Hold the supply for a time, whatever credit is left."""
    start = {} if args.start is None else {"start": args.start}
    body = {"duration": args.duration, **start}
    return _shown(api.call("POST", ("prepayments", args.mrid, "overrides"), body))


def _shown(answer: Row) -> Shown:
    return Shown(data=answer, text=listed(_brief(answer)))


def _brief(answer: Row) -> Row:
    """An account for a person: its credit and supply in words."""
    balance, operation = _below(answer, "AccountBalance"), _below(answer, "PrepayOperationStatus")
    change = _below(operation, "serviceChange")
    coming = f", {_word(STATES, change['newStatus'])} at {moment(change['startTime'])}" if change else ""
    plain = ("mRID", "description", "availableCredit", "emergencyCredit", "currency")
    return {
        **{name: answer.get(name) for name in plain},
        "credit": _word(CREDITS, balance.get("creditStatus")),
        "supply": _word(STATES, operation.get("serviceStatus")) + coming,
    }


def _amount(row: Row) -> str:
    held = _below(row, "creditAmount")
    value, multiplier = held.get("value"), held.get("multiplier")
    kind = " emergency" if row.get("creditType") == 1 else ""
    return f"{value} x 10^{multiplier}{kind}"


def _below(row: Row, name: str) -> Row:
    held = row.get(name)
    return held if isinstance(held, dict) else {}


def _word(words: dict[int, str], number: Json) -> str:
    return words.get(number, str(number)) if isinstance(number, int) else ""
