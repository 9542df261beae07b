"""Our own server as a target: by its address and certificates alone."""

import pytest

from conformance_tests import Ended, Need, Outcome, TargetError, UsageError, play
from conformance_tests.server.target import Bench, ServerTarget
from schemas import DERControl, DERControlList, DeviceCapability, EndDevice, EndDeviceList
from tests.integration.conformance.stand import case_of, target_of, trial_of
from tests.integration.sep2_harness import START, make_control
from tests.integration.sep2_harness import Bench as Running


async def test_the_tour_finds_what_links_lead_to_by_the_names_of_the_standard(bench: Running) -> None:
    await bench.device("tour-1")
    _, program = await bench.group("tour", "tour-1")
    await bench.control(program, make_control("AB01", START - 10, 600))
    async with target_of(bench, "tour-1") as target:
        hand = Bench(target, trial_of())
        found = await hand.device.tour()
        assert found["DeviceCapability"] == ["/dcap"]
        assert len(found["EndDevice"]) == len(found["Registration"]) == len(found["DERStatus"]) == 1
        assert len(found["DERControl"]) == len(found["ActiveDERControlList"]) == 1
        assert found["DERControlList"] == [f"{program.href}/derc"]
        assert len(found) > 30
        again = await hand.device.tour()
        assert again is found
        await hand.device.delete(found["Time"][0])
        assert await hand.device.tour() is not found


async def test_a_list_is_read_page_by_page(bench: Running) -> None:
    await bench.device("pages-1")
    _, program = await bench.group("pages", "pages-1")
    for number in range(60):
        await bench.control(program, make_control(f"{number + 1:04X}", START + 1000 * number, 60))
    async with target_of(bench, "pages-1") as target:
        hand = Bench(target, trial_of())
        items = await hand.device.items(f"{program.href}/derc", DERControlList, DERControl)
        assert [one.interval.start for one in items] == [START + 1000 * number for number in range(60)]
        assert [one.uri.partition("?")[2] for one in hand.trial.evidence.exchanges] == [
            "s=0&l=50",
            "s=50&l=50",
        ]


async def test_a_resource_of_another_class_ends_the_case_with_the_reason(bench: Running) -> None:
    async def wants_a_list(hand: Bench) -> None:
        await hand.device.read(hand.dcap, EndDeviceList)

    await bench.device("class-1")
    async with target_of(bench, "class-1") as target:
        verdict = await play(case_of(wants_a_list), target, lambda: 7.0)
    assert verdict.outcome is Outcome.FAILED
    assert "EndDeviceList" in verdict.reason


async def test_an_absent_resource_ends_the_case(bench: Running) -> None:
    async with target_of(bench, "nobody-1") as target:
        hand = Bench(target, trial_of())
        with pytest.raises(Ended, match="GET of the EndDevice answers 200"):
            await hand.device.read("/edev/1", EndDevice)


async def test_server_time_is_that_of_its_time_resource(bench: Running) -> None:
    await bench.device("time-1")
    async with target_of(bench, "time-1") as target:
        hand = Bench(target, trial_of())
        assert await hand.now() == START
        await hand.until(START - 5)
        with pytest.raises(TargetError, match="stands still 1 s before"):
            await hand.until(START + 1)


async def test_what_is_missing_is_no_need_that_is_met(bench: Running) -> None:
    async with target_of(bench, "needs-1", plain_port=80, listen=("127.0.0.1", 0)) as target:
        assert target.has == {Need.PLAIN_HTTP, Need.LISTENER}
        assert Bench(target, trial_of()).in_plain("/edev?l=1") == "http://127.0.0.1:80/edev?l=1"

        async def wants_an_operator(hand: Bench) -> None:
            await hand.operator.cancel_all()

        verdict = await play(case_of(wants_an_operator), target, lambda: 7.0)
        assert (verdict.outcome, verdict.reason[:18]) == (Outcome.SKIPPED, "needs an operator ")


async def test_raw_octets_go_out_as_they_are(bench: Running) -> None:
    await bench.device("raw-1")
    async with target_of(bench, "raw-1") as target:
        hand = Bench(target, trial_of())
        got = await hand.device.raw(b"GET /dcap HTTP/1.1\r\n\r\n")
        assert got.status == 400
        assert (await hand.device.read(hand.dcap, DeviceCapability)).href == "/dcap"


@pytest.mark.parametrize(
    "given",
    [{"dcap": "http://127.0.0.1/dcap"}, {"dcap": "/dcap"}, {"dcap": "https://h/dcap", "profile": "x"}],
)
def test_a_target_that_cannot_be_is_a_usage_error(bench: Running, given: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        ServerTarget(device=bench.credentials("usage-1"), **given)  # type: ignore[arg-type]  # texts alone
