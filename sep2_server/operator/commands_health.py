"""`lineside server health`: whether a running server can do its work, as its operator API tells."""

import argparse

from sep2_server.operator.client import OperatorClient
from sep2_server.operator.commands import Shown, command
from sep2_server.operator.table import fields


def add_health(below: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `health`."""
    parser = command(below, "health", health, example="")
    parser.epilog = "example: lineside server health --config site"


def health(client: OperatorClient, args: argparse.Namespace) -> Shown:
    """Ask a running server whether it can do its work; exit code 1 where it cannot."""
    del args
    answer = client.get("readyz")
    checks = answer.get("checks")
    told = checks if isinstance(checks, dict) else {}
    return Shown(data=answer, text=fields([("ready", "yes"), *told.items()]))
