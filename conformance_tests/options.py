"""Options of `lineside conform server` and `client`: on the command line, or in a TOML file by name."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certs import CertsError, parse_lfdi
from conformance_tests.aus.client_procedures import PROCEDURES
from conformance_tests.errors import UsageError
from owner import toml_table
from schemas import csip_aus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas import Profile

AUS_VERSIONS: Final[Mapping[str, Profile]] = {
    "v1.2": csip_aus.CSIP_AUS_V1_2,
    "v1.3-beta/storage": csip_aus.CSIP_AUS_V1_3_STORAGE,
    "v1.3": csip_aus.CSIP_AUS_V1_3,
}
"""The documents of each version of CSIP-AUS; the first is that of a run that names none."""
_AUS_TOLD: Final = f"{', '.join(AUS_VERSIONS)} ({next(iter(AUS_VERSIONS))})"


def host_port(text: str) -> tuple[str, int]:
    """`HOST:PORT`, or `:PORT` for loopback."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text}: give HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def lfdi(text: str) -> str:
    """40 hex digits."""
    try:
        return parse_lfdi(text)
    except CertsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: give a number above 0")
    return value


def class_names(text: str) -> frozenset[str]:
    """Classes of CSIP-AUS, separated by commas."""
    found = frozenset(one.strip().upper() for one in text.split(","))
    known = frozenset(name for procedure in PROCEDURES for name in procedure.classes)
    if unknown := sorted(found - known):
        told = f"no class {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        raise argparse.ArgumentTypeError(told)
    return found


def add_run_options(parser: argparse.ArgumentParser, profiles: Sequence[str]) -> None:
    """What every run has."""
    run = parser.add_argument_group("the run")
    run.add_argument("--profile", choices=profiles, default="csip", help="by which it is judged (csip)")
    run.add_argument(
        "--aus-version", choices=sorted(AUS_VERSIONS), metavar="V", help=f"of CSIP-AUS: {_AUS_TOLD}"
    )
    run.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="id, name, family or clause"
    )
    run.add_argument("--strict", action="store_true", help="a broken SHOULD fails the run")
    run.add_argument("--out", type=Path, metavar="DIR", help="folder of the reports (conform-ROLE-TIME)")
    run.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in this folder")
    run.add_argument("--schema", type=Path, metavar="FILE", help="sep.xsd, or a facts file, that bodies keep")
    run.add_argument("--every", action="store_true", help="a line for passed cases too")
    run.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file with these options by their names"
    )


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """What is given of a server under test."""
    own = parser.add_argument_group("who the runner is")
    own.add_argument("--cert", type=Path, help="certificate chain of a device that the server knows")
    own.add_argument("--key", type=Path, help="its key")
    own.add_argument("--roots", type=Path, help="roots that the server's certificate is checked by")
    for name, whom in (("other", "a second device"), ("aggregator", "an aggregator")):
        own.add_argument(f"--{name}-cert", type=Path, help=f"certificate of {whom}")
        own.add_argument(f"--{name}-key", type=Path, help="its key")
    _add_root(own)
    steer = parser.add_argument_group("how the server is steered")
    steer.add_argument("--operator", choices=("api", "hook", "prompt"), help="who acts for its operator")
    steer.add_argument("--operator-url", metavar="URL", help="of the operator API")
    steer.add_argument("--operator-token", type=Path, metavar="FILE", help="file with its token")
    steer.add_argument("--operator-roots", type=Path, metavar="FILE", help="roots of its certificate")
    steer.add_argument("--hook", metavar="COMMAND", help="command, or module:factory, that acts as operator")
    steer.add_argument("--listen", type=host_port, metavar="HOST:PORT", help="where it may notify the runner")
    steer.add_argument("--http-port", type=int, metavar="PORT", help="its port without TLS")
    steer.add_argument("--restart", metavar="COMMAND", help="restarts it; returns once it is up again")
    steer.add_argument("--multicast", action="store_true", help="it is announced on this network (COMM-001)")
    steer.add_argument("--clock-rate", type=positive, default=1.0, help="its seconds in one of ours (1)")


def add_client_options(parser: argparse.ArgumentParser) -> None:
    """What is given of a client under test."""
    own = parser.add_argument_group("the scripted server")
    own.add_argument("--cert", type=Path, help="certificate chain of the scripted server")
    own.add_argument("--key", type=Path, help="its key")
    own.add_argument("--roots", type=Path, help="roots that the client's certificate is checked by")
    own.add_argument(
        "--listen", type=host_port, default=("127.0.0.1", 0), metavar="HOST:PORT", help="its address"
    )
    _add_root(own)
    own.add_argument("--plain-hrefs", action="store_true", help="the default URIs of the standard")
    client = parser.add_argument_group("the client")
    client.add_argument("--client-cert", type=Path, metavar="FILE", help="its certificate, or")
    client.add_argument("--lfdi", type=lfdi, help="its LFDI")
    client.add_argument("--aggregator", action="store_true", help="it is an aggregator")
    client.add_argument(
        "--device", type=lfdi, action="append", default=[], metavar="LFDI", help="for whom it stands"
    )
    client.add_argument(
        "--classes",
        type=class_names,
        action="append",
        default=[],
        metavar="CLASS,...",
        help="classes of CSIP-AUS that it claims: A,G,DER-A (any)",
    )
    client.add_argument("--pin", type=int, default=111115, help="PIN that it was given (111115)")
    client.add_argument(
        "--multicast", action="store_true", help="it looks for its server by multicast DNS (COMM-001)"
    )
    client.add_argument("--start", metavar="COMMAND", help="starts it; stopped by SIGTERM after each case")
    client.add_argument("--scale", type=positive, default=1.0, help="server seconds in one of ours (1)")
    client.add_argument(
        "--patience", type=positive, default=600.0, metavar="S", help="time to come by itself (600)"
    )
    watch = parser.add_argument_group("who watches its device")
    watch.add_argument("--observe", choices=("modbus", "hook", "prompt"), help="how")
    watch.add_argument("--modbus", type=host_port, metavar="HOST:PORT", help="SunSpec device, Modbus TCP")
    watch.add_argument("--unit", type=int, default=1, help="its unit (1)")
    watch.add_argument("--hook", metavar="COMMAND", help="command that tells what the device does")


def _add_root(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--ca-cert", type=Path, help="a root that the target trusts, to issue test chains")
    group.add_argument("--ca-key", type=Path, help="its key")


def with_settings(args: argparse.Namespace, parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options with those of `--config` in the place of what the command line left out. UsageError."""
    if args.config is None:
        return args
    try:
        held = toml_table(args.config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{args.config}: {error}") from error
    for name, value in held.items():
        _set(args, parser, name, value)
    return args


def _set(args: argparse.Namespace, parser: argparse.ArgumentParser, name: str, value: object) -> None:
    attribute = name.replace("-", "_")
    action = next((one for one in parser._actions if one.dest == attribute), None)  # noqa: SLF001  no public way
    if action is None or attribute in {"config", "help"}:
        raise UsageError(f"{args.config}: {name} is no option here; `--help` shows all")
    if getattr(args, attribute) == action.default:
        setattr(args, attribute, _valued(args.config, action, name, value))


def _valued(config: Path, action: argparse.Action, name: str, value: object) -> object:
    if isinstance(action.default, bool):
        if not isinstance(value, bool):
            raise UsageError(f"{config}: {name} is true or false")
        return value
    convert: Any = action.type or str
    try:
        if isinstance(action.default, list):
            return [convert(str(one)) for one in (value if isinstance(value, list) else [value])]
        made = convert(str(value))
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise UsageError(f"{config}: {name}: {error}") from error
    if action.choices is not None and made not in action.choices:
        raise UsageError(f"{config}: {name} is one of {', '.join(map(str, action.choices))}")
    return made
