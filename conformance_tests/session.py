"""From options to a run and its reports: targets are made, cases picked, and all is told."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certs import TlsFiles, lfdi_of
from certs.files import read_chain
from conformance_tests.case import Need, Role
from conformance_tests.catalogue import all_cases
from conformance_tests.chains import IssuingRoot
from conformance_tests.client.observer_hook import HookObserver
from conformance_tests.client.observer_modbus import ModbusObserver
from conformance_tests.client.observer_prompt import prompt_observer
from conformance_tests.client.starting import starts
from conformance_tests.client.target import ClientSetup, ClientTarget
from conformance_tests.errors import TargetError, UsageError
from conformance_tests.judge import Judge, schema_of
from conformance_tests.options import AUS_VERSIONS
from conformance_tests.reports.folder import Folder
from conformance_tests.reports.summary import exit_code
from conformance_tests.reports.terminal import Terminal
from conformance_tests.runner import new_run, run_all, select
from conformance_tests.server.judged import JUDGE
from conformance_tests.server.operator_api import api_operator
from conformance_tests.server.operator_hook import hook_operator
from conformance_tests.server.operator_prompt import prompt_operator
from conformance_tests.server.target import ServerTarget, credentials_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine, Sequence

    from certs import Credentials
    from conformance_tests.case import AnyCase, Target
    from conformance_tests.client.observer import Observer
    from conformance_tests.reports.record import Kept
    from conformance_tests.runner import Run, Watcher
    from conformance_tests.server.operator import Operator
    from schemas import Profile

    Play = Callable[[Run, Sequence[Watcher]], Coroutine[Any, Any, None]]


def run_server(args: argparse.Namespace) -> int:
    """Test a server; the exit code."""
    cases = select(all_cases(), Role.SERVER, args.profile, args.only)
    target = ServerTarget(
        dcap=args.url,
        device=credentials_of("device", *_given(args, "cert", "key", "roots")),
        profile=args.profile,
        xml=_documents(args),
        other=_identity(args, "other"),
        aggregator=_identity(args, "aggregator"),
        operator=_operator(args),
        ca=_ca(args),
        restart=None if args.restart is None else partial(_restart, args.restart),
        listen=args.listen,
        plain_port=args.http_port,
        clock_rate=args.clock_rate,
        further=frozenset({Need.LOCAL_NETWORK}) if args.multicast else frozenset(),
    )
    target.shared[JUDGE] = Judge(schema_of(args.schema))

    async def play(run: Run, watchers: Sequence[Watcher]) -> None:
        try:
            await run_all(run, target, watchers, now=time.time)
        finally:
            await target.close()

    return _run(args, cases, target, play)


def run_client(args: argparse.Namespace) -> int:
    """Test a client or an aggregator; the exit code."""
    setup = client_setup(args)
    cases = select(all_cases(), setup.role, args.profile, args.only)
    target = ClientTarget(setup)

    async def play(run: Run, watchers: Sequence[Watcher]) -> None:
        async with target:
            sys.stdout.write(f"the client's server is {target.uri}\n")
            sys.stdout.flush()
            run.facts = target.facts
            await run_all(run, target, watchers, now=time.time)

    return _run(args, cases, target, play)


def client_setup(args: argparse.Namespace) -> ClientSetup:
    """What the options tell of a client. UsageError."""
    certificate, key, roots = _given(args, "cert", "key", "roots")
    if args.aggregator and not args.device:
        raise UsageError("--aggregator: give the LFDI of each of its devices, with --device LFDI for each")
    host, port = args.listen
    return ClientSetup(
        role=Role.AGGREGATOR if args.aggregator else Role.DER_CLIENT,
        profile=args.profile,
        schema=_documents(args),
        classes=_classes(args),
        tls=TlsFiles(certificate=certificate, key=key, roots=roots),
        lfdi=_client_lfdi(args),
        devices=tuple(args.device),
        host=host,
        port=port,
        pin=args.pin,
        seed=None if args.plain_hrefs else "stage",
        scale=args.scale,
        patience_s=args.patience,
        observer=_observer(args),
        ca=_ca(args),
        start=None if args.start is None else starts(args.start),
        judge=Judge(schema_of(args.schema)),
        needs=frozenset({Need.LOCAL_NETWORK}) if args.multicast else frozenset(),
    )


def _run(args: argparse.Namespace, cases: Sequence[AnyCase], target: Target[Any], play: Play) -> int:
    folder = Folder(args.resume or args.out or _fresh(target.role))
    earlier = None if args.resume is None else folder.earlier_of(target)
    run = _begun(args, cases, target, earlier)
    folder.open(run, again=earlier is not None)
    width = shutil.get_terminal_size().columns
    terminal = Terminal(sys.stdout, run.left, width=width, now=time.time, every=args.every)
    try:
        asyncio.run(play(run, (terminal, folder)))
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    finally:
        run.ended_s = run.ended_s or time.time()
        written = folder.close(run)
        terminal.close(run)
    names = ", ".join(path.name for path in written)
    sys.stdout.write(f"{folder.path}: {names}\n")
    if not run.complete:
        sys.stdout.write(f"go on with: lineside conform ... --resume {folder.path}\n")
    return exit_code(run, strict=args.strict)


def _begun(
    args: argparse.Namespace, cases: Sequence[AnyCase], target: Target[Any], earlier: Kept | None
) -> Run:
    """A new run, or one that goes on: the cases of then, and those that `--only` names, which are played."""
    if earlier is None:
        return new_run(cases, target, now=time.time)
    ids = {case.id for case in cases} if args.only else set[str]()
    of_both = [
        case
        for case in select(all_cases(), target.role, target.profile)
        if case.id in ids or case.id in earlier.cases
    ]
    run = new_run(of_both, target, now=time.time, known=earlier.verdicts)
    run.begun_s, run.only = earlier.begun_s, frozenset(ids) or None
    return run


def _documents(args: argparse.Namespace) -> Profile | None:
    """The documents by `--aus-version`; None for those of the profile."""
    if args.aus_version is None:
        return None
    _of_csip_aus(args, "--aus-version")
    return AUS_VERSIONS[args.aus_version]


def _classes(args: argparse.Namespace) -> frozenset[str]:
    """The classes that a client claims by `--classes`; none: any."""
    if args.classes:
        _of_csip_aus(args, "--classes")
    return frozenset[str]().union(*args.classes)


def _of_csip_aus(args: argparse.Namespace, option: str) -> None:
    if args.profile != "csip_aus":
        raise UsageError(f"{option} is for --profile csip_aus, and this run is of {args.profile}")


def _observer(args: argparse.Namespace) -> Observer | None:
    """Who watches the devices of a client, by `--observe`."""
    if args.observe is None:
        return None
    if args.observe == "prompt":
        return prompt_observer()
    if args.observe == "hook":
        (hook,) = _given(args, "hook")
        return HookObserver(str(hook))
    (place,) = _given(args, "modbus")
    host, port = place
    return ModbusObserver({"": (host, port, args.unit)})


def _fresh(role: Role) -> Path:
    return Path(f"conform-{role.value}-{datetime.now(UTC):%Y%m%d-%H%M%S}")


def _given(args: argparse.Namespace, *names: str) -> tuple[Any, ...]:
    missing = [name for name in names if getattr(args, name) is None]
    if missing:
        raise UsageError(f"give {', '.join(f'--{name}' for name in missing)}, or name them in --config")
    return tuple(getattr(args, name) for name in names)


def _identity(args: argparse.Namespace, name: str) -> Credentials | None:
    certificate, key = getattr(args, f"{name}_cert"), getattr(args, f"{name}_key")
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError(f"--{name}-cert and --{name}-key belong together")
    return credentials_of(name, certificate, key, args.roots)


def _operator(args: argparse.Namespace) -> Operator | None:
    if args.operator == "api":
        if args.operator_url is None or args.operator_token is None:
            raise UsageError("--operator api: give --operator-url and --operator-token too")
        return api_operator(args.operator_url, args.operator_token, args.operator_roots)
    if args.operator == "hook":
        if args.hook is None:
            raise UsageError("--operator hook: give --hook COMMAND or module:factory too")
        return hook_operator(args.hook)
    return prompt_operator() if args.operator == "prompt" else None


def _ca(args: argparse.Namespace) -> IssuingRoot | None:
    if args.ca_cert is None and args.ca_key is None:
        return None
    if args.ca_cert is None or args.ca_key is None:
        raise UsageError("--ca-cert and --ca-key belong together")
    return IssuingRoot.read(args.ca_cert, args.ca_key)


async def _restart(command: str) -> None:
    """Run the user's command that restarts the target. TargetError where it fails."""
    process = await asyncio.create_subprocess_exec(*shlex.split(command))
    if (code := await process.wait()) != 0:
        raise TargetError(f"{command} ended with {code}")


def _client_lfdi(args: argparse.Namespace) -> str:
    if args.client_cert is not None:
        return lfdi_of(read_chain(args.client_cert)[0])
    if args.lfdi is None:
        raise UsageError("give --client-cert FILE, or --lfdi with the 40 hex digits of its certificate")
    return str(args.lfdi)
