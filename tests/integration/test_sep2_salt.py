"""A server with scrambled URIs: who follows links finds everything, who builds URIs finds nothing."""

from pathlib import Path

import pytest

from certs import Pki
from schemas import (
    DERControlList,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    LogEvent,
    LogEventList,
    Subscription,
    SubscriptionList,
)
from sep2_server.errors import StoreError
from tests.integration.sep2_harness import START, make_control, running


async def test_links_lead_everywhere_and_default_uris_nowhere(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, uri_salt="pepper") as bench:
        _, client = await bench.device("salt-1")
        _, program = await bench.group("salt", "salt-1")
        await bench.control(program, make_control("A1", START + 10, 60))
        capability = await client.read("/dcap", DeviceCapability)
        assert capability.EndDeviceListLink_ is not None
        devices = await client.read(capability.EndDeviceListLink_.href, EndDeviceList)
        device = devices.EndDevice_[0]
        assert device.FunctionSetAssignmentsListLink_ is not None
        fsa = await client.read(device.FunctionSetAssignmentsListLink_.href, FunctionSetAssignmentsList)
        link = fsa.FunctionSetAssignments_[0].DERProgramListLink_
        assert link is not None
        programs = await client.read(f"{link.href}?s=0&l=5", DERProgramList)
        controls = programs.DERProgram_[0].DERControlListLink_
        assert controls is not None
        assert controls.all == 1
        page = await client.read(controls.href, DERControlList)
        assert page.DERControl_[0].mRID == "A1"
        hidden = ["/edev", "/tm", "/derp", f"{device.href}/lel", f"/edev/{program.id}", "/AAAA", "/%%%"]
        assert [(await client.get(path)).status for path in hidden] == [404] * 7


async def test_what_a_client_posts_is_found_under_a_scrambled_uri(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, uri_salt="pepper") as bench:
        row, client = await bench.device("salt-1")
        devices = await client.read(row.href, EndDevice)
        assert devices.LogEventListLink_ is not None
        event = LogEvent(
            createdDateTime=START,
            functionSet=11,
            logEventCode=0,
            logEventID=1,
            logEventPEN=40732,
            profileID=2,
        )
        reply = await client.post(devices.LogEventListLink_.href, event)
        page = await client.read(devices.LogEventListLink_.href, LogEventList)
        assert (reply.status, page.LogEvent_[0].href) == (201, reply.location)


async def test_lists_that_go_by_uri_go_by_the_scrambled_one(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, uri_salt="pepper", notification_hosts="127.0.0.1") as bench:
        row, client = await bench.device("salt-1")
        device = await client.read(row.href, EndDevice)
        lists = device.SubscriptionListLink_, device.FunctionSetAssignmentsListLink_
        subscriptions, assignments = (one.href for one in lists if one is not None)
        posted = []
        for number in range(6):
            wish = Subscription(
                subscribedResource=assignments,
                encoding=0,
                level="+S1",
                limit=1,
                notificationURI=f"https://127.0.0.1/{number}",
            )
            posted.append((await client.post(subscriptions, wish)).location)
        pages = [await client.read(f"{subscriptions}?s={start}&l=2", SubscriptionList) for start in (0, 2, 4)]
        found = [one.href for page in pages for one in page.Subscription_]
        assert sorted(posted) != posted
        assert found == sorted(posted)


async def test_a_database_keeps_its_salt(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, uri_salt="pepper"):
        pass
    with pytest.raises(StoreError, match="another uri_salt"):
        async with running(tmp_path, sep2_pki):
            pass
