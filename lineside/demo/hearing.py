"""How what the processes and the observer say becomes lines of the timeline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lineside.demo import story

if TYPE_CHECKING:
    from lineside.demo.observer import Seen
    from lineside.demo.stage import Stage
    from lineside.demo.timeline import Timeline

WATCHED = {"704.WMaxLimPct": "%", "704.WSet": "W", "Measurements.Current": "A"}
SETPOINTS = frozenset({"704.WMaxLimPct", "704.WSet"})


def hear_operator(stage: Stage, line: dict[str, object]) -> None:
    """Tell what the operator did; keep the mRID of each control."""
    href = f"  {line['href']}" if line.get("href") else ""
    stage.timeline.tell("operator", f"{line['what']}: {line['detail']}{href}")
    if line["what"] == "published":
        stage.mrids[str(line["scene"])] = str(line["mRID"])
    if line["what"] == "ready":
        stage.begun.set()


def hear_client(stage: Stage, who: str, line: dict[str, object]) -> None:
    """Tell what a client did; keep when each control was active there."""
    what, detail, mrid = str(line["what"]), str(line["detail"]), str(line.get("mrid") or "")
    scene = next((s for s, known in stage.mrids.items() if known == mrid), None)
    if scene and what == "response":
        _note_active(stage, who, scene, detail)
    if _is_worth_telling(stage, who, what, detail):
        text = detail.replace(mrid, f"{mrid[:8]}...") if mrid else detail
        name = f" ({scene})" if scene else ""
        stage.timeline.tell(who, f"{what}: {text}{name}{_places(line)}")


def _is_worth_telling(stage: Stage, who: str, what: str, detail: str) -> bool:
    """False for what repeats: a kind of report is told the first time only."""
    key = (who, what if what == "readings" else detail)
    if what in {"report", "readings"} and key in stage.told:
        return False
    stage.told.add(key)
    return True


def _note_active(stage: Stage, who: str, scene: str, detail: str) -> None:
    """Keep when a control started and ended at its device, from the Responses that the client sent."""
    now = time.time()
    span = stage.active.setdefault((who, scene), [now, now + story.LENGTH_S])
    if detail.startswith("2"):
        span[0] = now - 1.0
    elif not detail.startswith("1"):
        span[1] = now + 1.0


def _places(line: dict[str, object]) -> str:
    """The setpoints that were written, with their registers; or the href."""
    points: Any = line.get("points") or []
    written = [f"{p['point']}@{p['address']}={p['value']:g}" for p in points if p["point"] in SETPOINTS]
    return f"  {', '.join(written)}" if written else f"  {line['href']}" if line.get("href") else ""


def tell_seen(timeline: Timeline, seen: Seen) -> None:
    """Tell a new value that the observer saw."""
    unit = WATCHED.get(seen.name)
    if unit is None:
        return
    if seen.name == "Measurements.Current":
        timeline.tell(
            "observer", f"{seen.device}: CAN 0x{seen.address:X} [{seen.raw}] current {seen.value:g} A"
        )
    else:
        timeline.tell(
            "observer", f"{seen.device}: {seen.address} {seen.name} [{seen.raw}] = {seen.value:g} {unit}"
        )
