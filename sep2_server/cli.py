"""`lineside server`: make and run a server."""

from typing import TYPE_CHECKING

from sep2_server.operator import (
    commands_audit,
    commands_check,
    commands_health,
    commands_run,
    commands_site,
    commands_store,
)

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `server`; each leaf sets `run`, a function of the arguments that gives the exit code."""
    server = subparsers.add_parser(
        "server", epilog="example: lineside server init site --pki"
    ).add_subparsers(metavar="ACTION", required=True)
    commands_site.add_init(server)
    commands_run.add_run(server)
    commands_site.add_token_parser(server)
    commands_store.add_store_parsers(server)
    commands_audit.add_audit_parser(server)
    commands_health.add_health(server)
    commands_check.add_check(server)
