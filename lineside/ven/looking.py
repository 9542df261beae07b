"""What `lineside ven check` and `status` say: files, server and VTN as they answer, and what was kept."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from certs import CertsError
from function_sets import PublishError
from lineside.ven.settings import VenSettings, secret_of
from lineside.ven.state import StateFolder
from lineside.ven.wires import (
    context_3,
    context_20b,
    credentials_of,
    exchange_of,
    kept_state,
)
from openadr_ven import v2b
from openadr_ven.back import Summary, summary_of
from openadr_ven.back.reading import members_of
from openadr_ven.events import EventRecord, Profile, participants
from openadr_ven.operator_api import OperatorApi, operator_session
from openadr_ven.v2b import messages as m
from openadr_ven.v3 import V3Error, Version
from openadr_ven.v3.http import Http
from openadr_ven.v3.rounds import programs_of
from openadr_ven.v3.version import segment
from openadr_ven.v3.wire import Wire
from owner import SettingsError

LATEST: Final = 253_402_300_799
"""The end of the year 9999, s since 1970 UTC: no calendar here goes on."""


class Finding(NamedTuple):
    """One thing that was looked at."""

    is_good: bool
    text: str


def files_of(settings: VenSettings) -> Iterator[Finding]:
    """Whether the files that the settings name can be used. Secrets are read and not told."""
    vtn, server = settings.vtn, settings.server
    try:
        secret_of(server.token_file, "server.token_file")
    except SettingsError as flaw:
        yield Finding(False, str(flaw))
    else:
        yield Finding(True, "the token of the 2030.5 server can be read")
    try:
        credentials_of(vtn)
        if vtn.profile is Profile.V20B:
            exchange_of(vtn, v2b.HttpTransport(vtn.url, context_20b(vtn)), time.time)
        else:
            context_3(vtn)
    except (SettingsError, CertsError) as flaw:
        yield Finding(False, str(flaw))
    else:
        yield Finding(True, "certificates, keys and secrets for the VTN can be used")


async def server_of(settings: VenSettings) -> list[Finding]:
    """Whether the operator API answers, and has the groups and devices that the settings name."""
    server, found = settings.server, list[Finding]()
    async with operator_session(secret_of(server.token_file, "server.token_file"), server.roots) as session:
        api = OperatorApi(session, server.url)
        try:
            await api.told("/status")
        except PublishError as flaw:
            return [Finding(False, f"2030.5 server: {flaw}")]
        found.append(Finding(True, f"2030.5 server: {server.url} answers, and takes the token"))
        for one in settings.devices:
            found.append(await _device(api, one.name))
            found.append(await _group(api, one.group, {one.name}))
        for group in settings.groups:
            found.append(await _group(api, group.name, set(group.devices)))
    return found


async def _device(api: OperatorApi, name: str) -> Finding:
    try:
        await api.told(f"/devices/{segment(name)}")
    except PublishError as flaw:
        return Finding(False, f"2030.5 server: device {name}: {flaw}; enrol it: lineside op enrol")
    return Finding(True, f"2030.5 server: device {name} is there")


async def _group(api: OperatorApi, name: str, wanted: set[str]) -> Finding:
    """Whether a group reaches these devices: what is published to it reaches all of its members."""
    where = f"2030.5 server: group {name}"
    try:
        told = await api.told(f"/groups/{segment(name)}/devices")
    except PublishError as flaw:
        return Finding(False, f"{where}: {flaw}; make it: lineside op group create {name}")
    members = {str(one["name"]) for one in told["devices"]}
    if members == wanted:
        return Finding(True, f"{where} reaches {', '.join(sorted(wanted))} and nothing else")
    wrong = [f"{one} is not in it, add it" for one in sorted(wanted - members)]
    wrong += [f"{one} is in it, take it out" for one in sorted(members - wanted)]
    return Finding(False, f"{where}: {'; '.join(wrong)}")


def programmes_of(settings: VenSettings) -> Iterator[Finding]:
    """What is set of each programme. Mistakes were named as the file was read."""
    for one in settings.programmes:
        yield Finding(True, f"programme {one.market_context}: {one.said()}")


async def vtn_of(settings: VenSettings) -> list[Finding]:
    """Whether the VTN answers. Nothing is registered or changed there."""
    if settings.vtn.profile is Profile.V20B:
        return await _vtn_20b(settings)
    return await _vtn_3(settings)


async def _vtn_20b(settings: VenSettings) -> list[Finding]:
    vtn = settings.vtn
    async with v2b.HttpTransport(vtn.url, context_20b(vtn)) as transport:
        exchange = exchange_of(vtn, transport, time.time)
        query = m.QueryRegistration(requestID=uuid.uuid4().hex)
        try:
            answer = await exchange.ask(m.Service.REGISTER_PARTY, query)
        except v2b.WireError as flaw:
            return [Finding(False, f"VTN: {flaw}")]
    if not isinstance(answer, m.CreatedPartyRegistration):
        return [Finding(False, f"VTN: {type(answer).__name__} in place of an oadrCreatedPartyRegistration")]
    return [Finding(True, f"VTN: {answer.vtnID} answers, profiles {', '.join(answer.profiles) or '-'}")]


async def _vtn_3(settings: VenSettings) -> list[Finding]:
    vtn = settings.vtn
    http = Http(context_3(vtn))
    await http.open()
    try:
        wire = Wire(http, vtn.url, Version(vtn.profile.value), credentials_of(vtn))
        programs = await programs_of(wire, ())
    except V3Error as flaw:
        return [Finding(False, f"VTN: {flaw}")]
    finally:
        await http.close()
    found = [Finding(True, f"VTN: answers, {len(programs)} programs are shown to us without a target")]
    for one in settings.programmes:
        program = programs.get(one.market_context)
        said = "not among them" if program is None else f"is {program.programName!r}"
        found.append(Finding(True, f"VTN: program {one.market_context} {said}"))
    return found


async def status_of(settings: VenSettings) -> list[str]:
    """Registration, events and what is published, as the state folder has them. Raises KeptError."""
    file = StateFolder(settings.state).file
    state, ven_id = await kept_state(settings, file.memory(is_20b=settings.vtn.profile is Profile.V20B))
    lines = [f"VEN {settings.name}, {settings.vtn.profile} at {settings.vtn.url}: "]
    lines[0] += f"venID {ven_id}" if ven_id else "not registered"
    lines.append(f"events: {len(state.records)}")
    heard, members = file.heard(), members_of(settings.fleet)
    for name, record in sorted(state.records.items(), key=lambda one: (one[1].start, one[0])):
        lines.append(f"  {_event_line(record)}")
        names = ", ".join(dict.fromkeys(one for part in participants(state, record) for one in part))
        lines.append(
            f"    for {names or 'nobody'}; devices: {_replies(summary_of(heard, state, name, members))}"
        )
    held = file.held()
    lines.append(f"published: {len(held.items)}")
    lines += [
        f"  {one.mRID} {one.home.kind} {one.home.programme!r} for group {one.home.group}, "
        f"{time_text(one.start)} to {time_text(one.end)}, event {one.eventID}"
        for one in sorted(held.items.values(), key=lambda one: (one.start, one.mRID))
    ]
    lines += [
        f"  default of {one.home.programme!r} for group {one.home.group}" for one in held.defaults.values()
    ]
    if held.attempted:
        lines.append(f"not known whether they are there, tried again: {len(held.attempted)}")
    return lines


def _replies(one: Summary) -> str:
    """What devices said of an event, in words."""
    counts = {
        "asked": one.asked,
        "received": one.received,
        "started": one.started,
        "completed": one.completed,
        "opted out": one.opted_out,
        "rejected": one.rejected,
        "superseded": one.superseded,
        "cancelled": one.cancelled,
        "silent": one.silent,
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none"


def _event_line(record: EventRecord) -> str:
    event = record.event
    said = f"{record.phase}, {record.optType}"
    if record.cancellation is not None:
        said += f", cancelled ({record.cancellation.how})"
    if record.refusal is not None:
        said += f", refused with {int(record.refusal.code)}: {record.refusal.text}"
    context = event.marketContext or "no programme"
    return f"{event.eventID} ({event.modification}) of {context} from {time_text(record.start)}: {said}"


def time_text(at: int | None) -> str:
    """A time for people, in UTC; an open end has none."""
    if at is None:
        return "-"
    if at > LATEST:
        return "after the year 9999"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
