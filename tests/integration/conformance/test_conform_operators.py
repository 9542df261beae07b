"""The three ways to have an operator act: our API, a command or factory of the user, and a person."""

import io
import json
import os
import pty
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from certs import Credentials, Pki
from conformance_tests import Need, Outcome, Skipped, TargetError, UsageError, play
from conformance_tests.server.operator import Operator
from conformance_tests.server.operator_api import api_operator
from conformance_tests.server.operator_hook import hook_operator, run_command
from conformance_tests.server.operator_prompt import PromptOperator, prompt_operator
from conformance_tests.server.target import Bench, ServerTarget
from schemas import (
    CurveData,
    DefaultDERControl,
    DERControl,
    DERControlBase,
    DERControlList,
    DERControlResponse,
    DERCurve,
    DERCurveList,
    DERProgram,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
)
from tests.integration.conformance.site import Site, loop_of, site_of
from tests.integration.conformance.stand import case_of, device_of
from tests.virtual_time import VirtualTime

NEEDS = frozenset({Need.OPERATOR})
CURVE = DERCurve(
    mRID="00",
    creationTime=0,
    CurveData_=[CurveData(xvalue=0, yvalue=0)],
    curveType=11,
    xMultiplier=0,
    yMultiplier=0,
    yRefType=3,
)


def played(tmp_path: Path, pki: Pki, procedure: Callable[[Bench], Awaitable[None]]) -> None:
    """Play a procedure against our own server with the operator of its API; it must pass."""

    async def run() -> None:
        async with site_of(tmp_path, pki, time) as site:
            operator = site.operator()
            target = ServerTarget(dcap=site.dcap, device=device_of(pki, "acts-1"), operator=operator)
            try:
                verdict = await play(case_of(procedure, needs=NEEDS, lasts_s=3600), target, time.time)
            finally:
                await target.close()
                await operator.close()
            assert verdict.outcome is Outcome.PASSED, (verdict, verdict.evidence.notes)

    time = VirtualTime()
    with loop_of(time) as runner:
        runner.run(run())


async def program_of(bench: Bench) -> DERProgram:
    """The one program that the device finds by its assignments."""
    found = await bench.device.tour()
    programs = await bench.device.read(found["DERProgramList"][0], DERProgramList, l=10)
    return programs.DERProgram_[0]


def test_the_api_registers_assigns_publishes_and_cancels(tmp_path: Path, sep2_pki: Pki) -> None:
    async def acts(bench: Bench) -> None:
        operator, device, check = bench.operator, bench.device, bench.trial.check
        await operator.ensure_device(device.lfdi, ders=2)
        await operator.assign(device.lfdi, "SP", primacy=4)
        base = DERControlBase(opModMaxLimW=6000)
        href = await operator.add_curve("SP", CURVE)
        wanted = DefaultDERControl(mRID="00", DERControlBase_=base, setGradW=27)
        await operator.set_default("SP", wanted)
        await operator.set_primacy("SP", 3)
        now = await bench.now()
        mrid = await operator.publish("SP", base, start_s=now + 60, duration_s=60)
        program = await program_of(bench)
        check(program.primacy == 3, "primacy", seen=program.primacy)
        assert program.DefaultDERControlLink_ is not None
        default = await device.read(program.DefaultDERControlLink_.href, DefaultDERControl)
        check(default.setGradW == 27 and default.DERControlBase_ == base, "default", seen=default)
        assert program.DERCurveListLink_ is not None
        curves = await device.read(program.DERCurveListLink_.href, DERCurveList)
        check(curves.DERCurve_[0].href == href, "curve", seen=href)
        assert program.DERControlListLink_ is not None
        place = program.DERControlListLink_.href
        control = (await device.items(place, DERControlList, DERControl))[0]
        check(control.mRID == mrid and control.responseRequired == "07", "control", seen=control)
        await bench.until(now + 70)
        control = (await device.items(place, DERControlList, DERControl))[0]
        check(control.EventStatus_.currentStatus == 1, "active", seen=control.EventStatus_)
        answer = DERControlResponse(endDeviceLFDI=device.lfdi, status=2, subject=mrid)
        check((await device.post(control.replyTo or "", answer)).status == 201, "response")
        check(await operator.responses(mrid) == [(device.lfdi, 2)], "recorded")
        await operator.cancel(mrid)
        control = (await device.items(place, DERControlList, DERControl))[0]
        check(control.EventStatus_.currentStatus == 2, "cancelled", seen=control.EventStatus_)
        await operator.set_default("SP", None)
        await operator.unassign(device.lfdi, "SP")
        found = await device.tour()
        check(not found.get("DERProgram"), "no program", seen=found.get("DERProgram"))

    played(tmp_path, sep2_pki, acts)


def test_the_api_blocks_sets_rates_and_removes(tmp_path: Path, sep2_pki: Pki) -> None:
    async def acts(bench: Bench) -> None:
        operator, device, check = bench.operator, bench.device, bench.trial.check
        await operator.ensure_device(device.lfdi)
        await operator.set_rates(device.lfdi, {"EndDevice": 77, "DERProgramList": 33})
        href = (await device.tour())["EndDeviceList"][0]
        mine = (await device.items(href, EndDeviceList, EndDevice))[0]
        check(mine.postRate == 77, "postRate", seen=mine.postRate)
        await operator.block(device.lfdi, blocked=True)
        check((await device.get(bench.dcap)).status == 403, "blocked")
        await operator.block(device.lfdi, blocked=False)
        check((await device.get(bench.dcap)).status == 200, "let in")
        await operator.forget_readings(device.lfdi)
        await operator.cancel_all()
        with pytest.raises(TargetError, match="has no subscription"):
            await operator.cancel_subscription(device.lfdi, "/edev")
        with pytest.raises(TargetError, match=r"operator API: .* 404"):
            await operator.cancel("00FF")
        await operator.remove_device(device.lfdi)
        check((await device.get(href)).status == 403, "gone")

    played(tmp_path, sep2_pki, acts)


def test_what_a_case_made_is_cleared_away_and_the_device_stays(tmp_path: Path, sep2_pki: Pki) -> None:
    async def run() -> None:
        async with site_of(tmp_path, sep2_pki, time) as site:
            await two_cases(site)

    async def two_cases(site: Site) -> None:
        async def first(bench: Bench) -> None:
            await bench.operator.ensure_device(bench.device.lfdi)
            await bench.operator.ensure_device("AB" * 20)
            await bench.operator.assign(bench.device.lfdi, "SP", primacy=4)
            await bench.operator.publish(
                "SP", DERControlBase(opModMaxLimW=1), start_s=await bench.now(), duration_s=999
            )
            bench.trial.require(held=False, what="an end in the middle")

        async def second(bench: Bench) -> None:
            found = await bench.device.tour()
            lists = found["FunctionSetAssignmentsList"]
            held = await bench.device.read(lists[0], FunctionSetAssignmentsList)
            bench.trial.check(held.all == 0, "no group is left", seen=held.all)

        operator = site.operator()
        target = ServerTarget(dcap=site.dcap, device=device_of(sep2_pki, "acts-1"), operator=operator)
        verdicts = [await play(case_of(one, needs=NEEDS), target, time.time) for one in (first, second)]
        assert [one.outcome for one in verdicts] == [Outcome.FAILED, Outcome.PASSED]
        assert "operator: assign" in "".join(note.text for note in verdicts[0].evidence.notes)
        assert site.server is not None
        await operator.ensure_device("CD" * 20)
        await operator.end()
        await target.close()
        await operator.close()

    time = VirtualTime()
    with loop_of(time) as runner:
        runner.run(run())


def test_what_is_not_of_a_case_is_left_or_put_back(tmp_path: Path, sep2_pki: Pki) -> None:
    async def run() -> None:
        async with site_of(tmp_path, sep2_pki, time) as site:
            await two_operators(site, device_of(sep2_pki, "acts-1"))

    async def two_operators(site: Site, device: Credentials) -> None:
        utility, runner = site.operator(), site.operator()
        lfdi = str(device.lfdi)
        for one, group in ((utility, "of the utility"), (runner, "of the case")):
            await one.begin("made/case/server", lasting=frozenset({lfdi}), note=lambda _: None)
            await one.ensure_device(lfdi)
            await one.assign(lfdi, group, primacy=4)
        await utility.set_rates(lfdi, {"EndDevice": 77, "DERProgramList": 33})
        start = int(time.time()) + 60
        for one, group in ((utility, "of the utility"), (runner, "of the case")):
            await one.publish(group, DERControlBase(opModMaxLimW=1), start_s=start, duration_s=999)
        for rates in ({"EndDevice": 5, "DERProgramList": 6}, {"DERProgramList": 7, "EndDeviceList": 8}):
            await runner.set_rates(lfdi, rates)
        await runner.cancel_all()
        assert site.server is not None
        reader = site.server.store.reader
        assert sorted(row.status or 0 for row in reader.of_kind("DERControl")) == [0, 2]
        await runner.end()
        assert reader.options()["poll_rate.DERProgramList"] == "33"
        row = reader.of_kind("EndDevice")[-1]
        assert b"<postRate>77</postRate>" in row.body
        await utility.end()
        await utility.close()
        await runner.close()

    time = VirtualTime()
    with loop_of(time) as runner:
        runner.run(run())


@pytest.mark.parametrize(
    ("url", "token"), [("ftp://x", "there"), ("https://", "there"), ("https://x", "absent")]
)
def test_an_api_that_cannot_be_is_a_usage_error(tmp_path: Path, url: str, token: str) -> None:
    (tmp_path / "there").write_text("secret")
    with pytest.raises(UsageError):
        api_operator(url, tmp_path / token, None)


HOOK = """
import json, sys
act, given = sys.argv[1], json.load(sys.stdin)
with open({log!r}, "a") as log:
    print(act, json.dumps(given, sort_keys=True), file=log)
if act == "publish":
    print(json.dumps({{"mRID": "AB" * 16}}))
elif act == "responses":
    print(json.dumps({{"responses": [{{"lFDI": "CD", "status": 2}}]}}))
elif act in ("begin", "block"):
    sys.exit(3)
elif act == "cancel-all":
    sys.exit("there is no such button")
elif act == "add-curve":
    print("done!")
elif act == "cancel":
    print("[]")
"""


@pytest.fixture
def hook(tmp_path: Path) -> Operator:
    """A command of the user that keeps what it is told."""
    script = tmp_path / "hook.py"
    script.write_text(HOOK.format(log=str(tmp_path / "log")))
    return hook_operator(f"{sys.executable} {script}")


async def test_a_command_gets_json_and_tells_json(hook: Operator, tmp_path: Path) -> None:
    await hook.begin("csip/X/server", lasting=frozenset(), note=lambda _: None)
    base = DERControlBase(opModMaxLimW=6000)
    assert await hook.publish("SP", base, start_s=100, duration_s=60) == "AB" * 16
    assert await hook.responses("AB") == [("CD", 2)]
    await hook.end()
    lines = (tmp_path / "log").read_text().splitlines()
    act, _, given = lines[1].partition(" ")
    timed = {"start": 100, "duration": 60, "responseRequired": "07"}
    wanted = {"group": "SP", "DERControlBase": {"opModMaxLimW": 6000}, **timed}
    assert (act, json.loads(given)) == ("publish", wanted)
    assert [line.split(" ")[0] for line in lines] == ["begin", "publish", "responses", "end"]


async def test_what_a_command_cannot_do_is_told(hook: Operator) -> None:
    with pytest.raises(Skipped, match="has no act block"):
        await hook.block("AB", blocked=True)
    with pytest.raises(TargetError, match="ended with 1 at cancel-all: there is no such button"):
        await hook.cancel_all()
    with pytest.raises(TargetError, match="no JSON at add-curve"):
        await hook.add_curve("SP", CURVE)
    with pytest.raises(TargetError, match="no JSON object at cancel"):
        await hook.cancel("AB")


async def test_a_command_that_hangs_is_ended() -> None:
    hang = "import threading; threading.Event().wait()"
    with pytest.raises(TargetError, match=r"not done within 0\.2 s"):
        await run_command([sys.executable, "-c", hang], b"", 0.2)
    with pytest.raises(TargetError, match="No such file"):
        await run_command(["/nowhere/at/all"], b"", 1)


@pytest.mark.parametrize(
    "text",
    ["", "'", "no-such-program --x", "no_such_module:make", "json:no_such", "json:__doc__", "builtins:dict"],
)
def test_a_hook_that_cannot_be_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        hook_operator(text)


async def test_a_factory_of_the_user_makes_the_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_grid.py").write_text(
        "from conformance_tests.server.operator_acts import Acts\n"
        "class Mine(Acts):\n"
        "    async def do(self, act, given):\n"
        "        return {'mRID': act}\n"
        "def make():\n"
        "    return Mine()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    operator = hook_operator("my_grid:make")
    assert await operator.publish("SP", DERControlBase(), start_s=0, duration_s=1) == "publish"


async def test_a_person_is_told_and_answers() -> None:
    main, line = pty.openpty()
    with os.fdopen(line, "r", encoding="utf-8") as source, io.StringIO() as out:
        operator = prompt_operator(source, out)

        async def typed(text: str, act: Awaitable[object]) -> object:
            os.write(main, text.encode())
            return await act

        base = DERControlBase(opModMaxLimW=1)
        await operator.begin("csip/X/server", lasting=frozenset(), note=lambda _: None)
        assert await typed("AB12\n", operator.publish("SP", base, start_s=0, duration_s=1)) == "AB12"
        assert await typed("CD:2 CD:3\n", operator.responses("AB12")) == [("CD", 2), ("CD", 3)]
        assert await typed("\n", operator.cancel_all()) is None
        with pytest.raises(Skipped, match="skipped: cancel-all"):
            await typed("s\n", operator.cancel_all())
        with pytest.raises(TargetError, match="could not: cancel-all"):
            await typed("f\n", operator.cancel_all())
        with pytest.raises(TargetError, match="gave no mRID"):
            await typed("\n", operator.publish("SP", base, start_s=0, duration_s=1))
        with pytest.raises(TargetError, match="not LFDI:STATUS"):
            await typed("much\n", operator.responses("AB12"))
        with pytest.raises(TargetError, match=r"did not answer within 0\.05 s"):
            await PromptOperator(source, out, bound_s=0.05).cancel_all()
        await operator.end()
    os.close(main)


async def test_a_person_reads_what_is_to_be_done(tmp_path: Path) -> None:
    main, line = pty.openpty()
    with os.fdopen(line, "r", encoding="utf-8") as source, (tmp_path / "out").open("w") as out:
        os.write(main, b"\n")
        await prompt_operator(source, out).assign("AB" * 20, "SP", primacy=4)
        os.write(main, b"X\n")
        await prompt_operator(source, out).publish(
            "SP", DERControlBase(opModMaxLimW=7), start_s=5, duration_s=6
        )
    os.close(main)
    text = (tmp_path / "out").read_text()
    assert "give the device ABAB" in text
    assert '"opModMaxLimW": 7' in text
    assert "type its mRID; s to skip the case" in text


def test_a_person_needs_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("")
    with (tmp_path / "in").open() as source, pytest.raises(UsageError, match="needs a terminal"):
        prompt_operator(source)


async def test_the_end_of_the_terminal_ends_the_act() -> None:
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "r", encoding="utf-8") as source, pytest.raises(TargetError, match="was closed"):
        await PromptOperator(source, io.StringIO()).cancel_all()
