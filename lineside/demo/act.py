"""The operator of the demonstration, as a process of its own: enrols, groups, publishes, changes, cancels.

`python -m lineside.demo.act FOLDER prepare|play` speaks to the operator API of the server in FOLDER and
writes a line of JSON for each thing that it did.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from lineside.demo.site import SERVER_FOLDER, operator_client, read_identities
from lineside.demo.story import DEFAULT_LIMIT_PCT, DEVICES, SCENES, Scene

SITE_GROUP = "site"
SITE_PRIMACY = 110
DEVICE_PRIMACY = 90
REPORTED_WITHIN_S = 25.0
PAUSE_S = 0.2


class Act:
    """What the operator does, told line by line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._api = operator_client(folder / SERVER_FOLDER)

    def prepare(self) -> None:
        """Enrol both devices by their certificates, group them, and set the default limit."""
        for name, identity in read_identities(self._folder).items():
            pem = Path(identity["certificate"]).read_text()
            body = {"name": name, "certificate": pem, "pIN": int(identity["pin"]), "DER": 1, "postRate": 2}
            answer = self._api.call("POST", ("devices",), body)
            _tell("enrolled", f"{name}, LFDI {str(answer['lFDI'])[:8]}...", answer)
        self._group(SITE_GROUP, SITE_PRIMACY, DEVICES)
        for name in DEVICES:
            self._group(name, DEVICE_PRIMACY, (name,))
        body = {"DERControlBase": {"opModMaxLimW": f"{DEFAULT_LIMIT_PCT:g} %"}}
        answer = self._api.call("PATCH", ("groups", SITE_GROUP, "default"), body)
        _tell("default", f"opModMaxLimW {DEFAULT_LIMIT_PCT:g} % for all", answer)

    def play(self) -> None:
        """Wait until both devices have reported, then publish and cancel as the story says."""
        self._wait_for_reports()
        started = time.monotonic()
        steps = [(scene.at_s, self._publish, scene) for scene in SCENES]
        steps += [(s.at_s + s.in_s + s.cancel_after_s, self._cancel, s) for s in SCENES if s.cancel_after_s]
        for at_s, do, scene in sorted(steps, key=lambda step: step[0]):
            time.sleep(max(0.0, started + at_s - time.monotonic()))
            do(scene)
        _tell("done", "the story is told", {})

    def _group(self, name: str, primacy: int, members: tuple[str, ...]) -> None:
        answer = self._api.call("POST", ("groups",), {"name": name, "primacy": primacy})
        for member in members:
            self._api.call("PUT", ("groups", name, "devices", member))
        _tell("group", f"{name}: {', '.join(members)}; primacy {primacy}", answer)

    def _publish(self, scene: Scene) -> None:
        modes = {name: _natural(name, value) for name, value in scene.modes.items()}
        body = {
            "DERControlBase": modes,
            "in": scene.in_s,
            "duration": scene.duration_s,
            "description": scene.name[:32],
            "responseRequired": "03",
        }
        query = {"program": self._program(scene.device)}
        answer = self._api.call("POST", ("groups", scene.device, "controls"), body, query=query)
        _tell("published", f"{scene.name}, in {scene.in_s} s for {scene.duration_s} s", answer, scene.name)

    def _program(self, group: str) -> str:
        """The operator's own program of a group: the VEN has one there too."""
        programs: Any = self._api.get("groups", group)["programs"]
        return str(next(one["mRID"] for one in programs if one["primacy"] == DEVICE_PRIMACY))

    def _cancel(self, scene: Scene) -> None:
        mrid = _MRIDS[scene.name]
        answer = self._api.call("POST", ("controls", mrid, "cancel"), {"reason": "told so by the story"})
        _tell("cancelled", scene.name, answer, scene.name)

    def _wait_for_reports(self) -> None:
        until = time.monotonic() + REPORTED_WITHIN_S
        waiting = list(DEVICES)
        while waiting and time.monotonic() < until:
            waiting = [name for name in waiting if not self._has_reported(name)]
            time.sleep(PAUSE_S)
        if waiting:
            _tell("failed", f"{', '.join(waiting)} did not report within {REPORTED_WITHIN_S:g} s", {})
            sys.exit(1)
        _tell("ready", "both devices have reported their capability and status", {})

    def _has_reported(self, name: str) -> bool:
        ders: Any = self._api.get("devices", name).get("DER", [])
        return any(der.get("DERCapability") and der.get("DERStatus") for der in ders)


_MRIDS: dict[str, str] = {}


def _natural(mode: str, value: float) -> str:
    return f"{value:g} %" if mode == "opModMaxLimW" else f"{value:g} W"


def _tell(what: str, detail: str, answer: dict[str, Any], scene: str | None = None) -> None:
    mrid = answer.get("mRID")
    if scene and what == "published":
        _MRIDS[scene] = str(mrid)
    line = {"what": what, "detail": detail, "href": answer.get("href"), "mRID": mrid, "scene": scene}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Prepare, then play."""
    act = Act(Path(arguments[0]))
    if arguments[1:] == ["prepare"]:
        act.prepare()
    else:
        act.play()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
