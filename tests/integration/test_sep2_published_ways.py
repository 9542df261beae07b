"""What an operator publishes reaches whom it names, as it is asked for, whichever way it is published."""

from pathlib import Path
from typing import Any

import pytest

from certs import Pki
from schemas import (
    ConsumptionTariffIntervalList,
    FileList,
    Json,
    MessagingProgramList,
    PrepayOperationStatus,
    TextMessageList,
)
from sep2_server.operator import load_controls, messages, prepayments, resources, tariffs
from sep2_server.operator.desk import Desk
from sep2_server.operator.errors import BadRequest, Conflict
from sep2_server.operator.router import Call
from tests.integration.sep2_harness import START, Bench, running

FILE: dict[str, Json] = {
    "fileURI": "https://files.example/credential",
    "mfID": 40732,
    "mfModel": "M",
    "mfVer": "1",
    "size": 3,
    "type": "0001",
}


async def done(bench: Bench, way: Any, body: Json, query: dict[str, str] | None = None, **names: str) -> Any:  # noqa: ANN401
    """What an operation answers."""
    call = Call(names=names, query=query or {}, body=body, now=bench.clock.now())

    def job(desk: Desk) -> Any:  # noqa: ANN401
        return way(desk, call)

    return await bench.do(job)


async def files(bench: Bench, name: str) -> list[str | None]:
    client = await bench.client(name)
    return [file.lFDI for file in (await client.read("/file?l=9", FileList)).File_]


async def test_a_file_that_names_a_device_is_for_that_alone(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        (_, first), (_, second) = await bench.device("ev-1"), await bench.device("ev-2")
        await bench.group("g", "ev-1", "ev-2")
        one, other = (bench.credentials(name).lfdi for name in ("ev-1", "ev-2"))
        to_all = {"href": "/file", "group": "g"}
        made = await done(bench, resources.add, {**FILE, "lFDI": one.lower()}, to_all)
        href = str(made["href"])
        assert [(await client.get(href)).status for client in (first, second)] == [200, 404]
        assert (len(await files(bench, "ev-1")), len(await files(bench, "ev-2"))) == (1, 0)
        for lfdi in (str(other), None):
            with pytest.raises(BadRequest, match="lFDI: it is for life"):
                await done(bench, resources.change, {"lFDI": lfdi}, {"href": href})
        with pytest.raises(Conflict, match="no device has"):
            await done(bench, resources.add, {**FILE, "lFDI": "AB" * 20}, to_all)


async def test_blocks_are_numbered_by_where_they_begin_in_whatever_order_they_come(
    tmp_path: Path, sep2_pki: Pki
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        _, client = await bench.device("ev-1")
        await bench.group("g", "ev-1")
        tariff = await done(bench, tariffs.add_tariff, {"currency": 978}, group="g")
        component = await done(bench, tariffs.add_component, {}, tariff=tariff["mRID"])

        async def interval(at: int, *starts: int) -> dict[str, str]:
            blocks: list[Json] = [{"price": f"0.{start + 100}", "startValue": start} for start in starts]
            body: Json = {"start": START + at, "duration": 3600, "ConsumptionTariffInterval": blocks}
            made: dict[str, str] = await done(bench, tariffs.add_interval, body, component=component["mRID"])
            return made

        async def numbers(href: str) -> list[tuple[int, int]]:
            page = await client.read(f"{href}/cti?l=9", ConsumptionTariffIntervalList)
            return [(b.startValue, b.consumptionBlock) for b in page.ConsumptionTariffInterval_]

        at_once = await interval(0, 0, 100, 200)
        assert await numbers(at_once["href"]) == [(0, 1), (100, 2), (200, 3)]
        later = await interval(3600, 0)
        assert await numbers(later["href"]) == [(0, 0)]
        for start in (200, 100):
            body: Json = {"price": "0.30", "startValue": start}
            await done(bench, tariffs.add_block, body, interval=later["mRID"])
        assert await numbers(later["href"]) == [(0, 1), (100, 2), (200, 3)]
        named: Json = {"price": "0.30", "startValue": 300, "consumptionBlock": 9}
        await done(bench, tariffs.add_block, named, interval=later["mRID"])
        await done(bench, tariffs.add_block, {"price": "0.3", "startValue": 50}, interval=later["mRID"])
        assert await numbers(later["href"]) == [(0, 1), (50, 10), (100, 2), (200, 3), (300, 9)]


@pytest.mark.parametrize(("mode", "after"), [(3, 0), (0, 1)])
async def test_an_account_in_credit_mode_is_not_cut_off(
    tmp_path: Path, sep2_pki: Pki, mode: int, after: int
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        _, client = await bench.device("ev-1")
        await bench.group("g", "ev-1")
        body: Json = {"currency": 978, "prepayMode": mode, "balance": "5"}
        account = await done(bench, prepayments.open_account, body, group="g")

        async def service() -> int | None:
            return (await client.read(f"{account['href']}/os", PrepayOperationStatus)).serviceStatus

        assert await service() == 0
        await done(bench, prepayments.charge, {"amount": "6"}, prepayment=account["mRID"])
        assert await service() == after


async def test_a_message_goes_to_a_program_of_its_locale_and_primacy(tmp_path: Path, sep2_pki: Pki) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        _, client = await bench.device("ev-1")
        await bench.group("g", "ev-1")

        async def send(text: str, **asked: Json) -> None:
            await done(bench, messages.send, {"textMessage": text, "duration": 600, **asked}, group="g")

        await send("hello", locale="en", primacy=5)
        await send("anything")
        await send("hallo", locale="de", primacy=1)
        await send("noch eines", locale="de")
        with pytest.raises(BadRequest, match="several"):
            await send("which")
        found = {}
        for program in (await client.read("/msg?l=9", MessagingProgramList)).MessagingProgram_:
            assert program.TextMessageListLink_ is not None
            page = await client.read(f"{program.TextMessageListLink_.href}?l=9", TextMessageList)
            found[program.locale, program.primacy] = {text.textMessage for text in page.TextMessage_}
        assert found == {("en", 5): {"hello", "anything"}, ("de", 1): {"hallo", "noch eines"}}


@pytest.mark.parametrize("control", [{"SetPoint": {}}, {"Offset": {}}])
async def test_a_load_control_that_says_nothing_is_refused(
    tmp_path: Path, sep2_pki: Pki, control: dict[str, Json]
) -> None:
    async with running(tmp_path, sep2_pki, function_sets="all") as bench:
        await bench.device("ev-1")
        await bench.group("g", "ev-1")
        body: Json = {"deviceCategory": "00010000", "duration": 600, **control}
        with pytest.raises(BadRequest, match="nothing is asked for"):
            await done(bench, load_controls.publish_control, body, group="g")
