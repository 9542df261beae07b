"""`lineside bench fleet` from the command line: processes, JSON, enrolment, exit codes."""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from certs import Pki
from lineside.fleet import issue
from sep2_server import SystemClock
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator.desk import Desk
from sep2_server.rows import Row
from tests.integration.sep2_harness import running

ENROLLED = "import sys; print(*sys.argv[1:], file=open(sys.argv[1], 'a'))"


def enrol(enrolment: Enrolment, desk: Desk) -> Row:
    """Enrol a device."""
    return add_end_device(desk.transaction, desk.environment, enrolment, desk.now)


async def fleet(*arguments: str) -> tuple[int, str, str]:
    """Exit code and output of the command."""
    command = (sys.executable, "-m", "lineside", "bench", "fleet", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_two_processes_share_the_fleet_and_tell_one_result(tmp_path: Path, sep2_pki: Pki) -> None:
    identities = issue(sep2_pki.folder, 4)
    async with running(tmp_path, sep2_pki, now=SystemClock().now()) as bench:
        for identity in identities:
            enrolment = Enrolment(lfdi=identity.lfdi, name=identity.name)
            await bench.do(partial(enrol, enrolment))
        url = f"https://127.0.0.1:{bench.server.port}/dcap"
        where = ("--server", url, "--pki", str(sep2_pki.folder), "--devices", "4")
        code, out, err = await fleet(
            *where, "--processes", "2", "--duration", "1.5", "--ramp", "0.2", "--json"
        )
        told: dict[str, Any] = json.loads(out)
        assert (code, told["errors"], told["devices"]) == (0, 0, 4)
        assert told["kinds"]["GET Time"]["statuses"] == {"200": 4}
        assert told["handshakes"]["full"]["count"] == 4
        assert "4/4 devices" in err


async def test_table_tells_errors_and_the_exit_code_is_1(tmp_path: Path, sep2_pki: Pki) -> None:
    where = ("--server", "https://127.0.0.1:1/dcap", "--pki", str(sep2_pki.folder), "--devices", "1")
    code, out, _ = await fleet(*where, "--duration", "0.5", "--ramp", "0.1")
    assert code == 1
    assert "GET DeviceCapability" in out
    assert "none:1" in out


async def test_enrolment_list_is_written_and_nothing_else_done(tmp_path: Path, sep2_pki: Pki) -> None:
    listed = tmp_path / "fleet.csv"
    where = ("--server", "https://127.0.0.1:1/dcap", "--pki", str(sep2_pki.folder), "--devices", "2")
    code, out, _ = await fleet(*where, "--enrol-csv", str(listed))
    rows = [line.split(",") for line in listed.read_text().splitlines()]
    assert (code, len(rows), rows[0]) == (0, 3, ["name", "lfdi", "pin"])
    assert [row[1] for row in rows[1:]] == [identity.lfdi for identity in issue(sep2_pki.folder, 2)]
    assert (listed.stat().st_mode & 0o777, "lists 2 devices" in out) == (0o600, True)


async def test_enrolment_command_runs_for_each_device(tmp_path: Path, sep2_pki: Pki) -> None:
    said = tmp_path / "said"
    where = ("--server", "https://127.0.0.1:1/dcap", "--pki", str(sep2_pki.folder), "--devices", "2")
    command = f'{sys.executable} -c "{ENROLLED}" {said} {{name}} {{lfdi}}'
    code, _, _ = await fleet(*where, "--enrol-command", command, "--duration", "0.2")
    lines = [line.split()[1:] for line in said.read_text().splitlines()]
    assert lines == [[identity.name, identity.lfdi] for identity in issue(sep2_pki.folder, 2)]
    assert code == 1


async def test_enrolment_command_that_fails_ends_the_run(sep2_pki: Pki) -> None:
    where = ("--server", "https://127.0.0.1:1/dcap", "--pki", str(sep2_pki.folder), "--devices", "1")
    code, _, err = await fleet(*where, "--enrol-command", f'{sys.executable} -c "raise SystemExit(3)"')
    assert code == 2
    assert "SystemExit(3)" in err


async def test_certificates_of_a_folder_need_roots(tmp_path: Path) -> None:
    where = ("--server", "https://127.0.0.1:1/dcap", "--certificates", str(tmp_path))
    code, _, err = await fleet(*where)
    again, _, missing = await fleet(*where, "--roots", str(tmp_path / "root.pem"))
    assert (code, "--roots" in err) == (2, True)
    assert (again, "cert.pem" in missing) == (2, True)
