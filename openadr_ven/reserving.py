"""The shell that answers what vehicles ask for, as the goals of events say: through the operator API.

Nothing is kept: what the server has tells what was done. One task owns a `Reserving`.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from function_sets import Refused, ToCancel, Unreachable
from openadr_ven.operator_api import OperatorApi
from openadr_ven.to_sep2.reserving import Answered, Grant, Request, answers_of
from openadr_ven.to_sep2.wishes import Goal

log = logging.getLogger(__name__)

REASON: Final = "OpenADR event ended"
MOST: Final = 1_000
Told = dict[str, Any]


class Reserving:
    """Answers the requests of `vehicles`, names of devices on the server. `vtn` tells our answers apart."""

    def __init__(self, api: OperatorApi, vtn: str, vehicles: Sequence[str]) -> None:
        self._api = api
        self._vtn = vtn
        self._vehicles = tuple(vehicles)
        self._open: set[str] = set(vehicles)
        self._said: set[str] = set()

    async def bring_about(self, goals: Iterable[Goal], now: int) -> bool:
        """Do what is missing. False where the server gave no answer: the same again, later.

        Vehicles are asked about that have a goal, or had one the last time; all of them at first.
        """
        held = [goal for goal in goals if goal.device in self._vehicles]
        names = {goal.device for goal in held}
        try:
            requests = await self._known(names | self._open)
            steps = answers_of(self._vtn, held, requests, now)
            if steps.cancelled:
                gone = [ToCancel(mRID=one, is_randomized=False, reason=REASON) for one in steps.cancelled]
                for flaw in await self._api.cancel(gone):
                    self._say(flaw)
            for grant in steps.given:
                await self._give(grant)
        except Unreachable as flaw:
            log.warning("requests of vehicles: the 2030.5 server gives no answer: %s", flaw)
            return False
        except (Refused, KeyError, TypeError, ValueError) as flaw:
            self._say(flaw)
            return False
        unread = (names | self._open) - requests.keys()
        self._open = names | unread
        return not steps.cancelled and not unread

    async def _known(self, names: Collection[str]) -> dict[str, list[Request]]:
        """The requests of vehicles, without those that cannot be read: they hold up no other."""
        found: dict[str, list[Request]] = {}
        for name in sorted(names):
            try:
                found[name] = await self._requests(name)
            except (Refused, KeyError, TypeError, ValueError) as flaw:
                self._say(flaw)
        return found

    async def _give(self, grant: Grant) -> None:
        try:
            await self._api.answer_flow(grant.request.mRID, grant.request.device, _body(grant))
        except Refused as flaw:
            self._say(flaw)
        else:
            log.info("vehicle %s is granted %d Wh", grant.request.device, grant.energy_wh)

    async def _requests(self, name: str) -> list[Request]:
        found: list[Request] = []
        after = 0
        while True:
            told = await self._api.told("/flows", device=name, after=str(after), limit=str(MOST))
            found += [_request(name, one) for one in told["requests"]]
            if told["next"] is None:
                return found
            after = told["next"]

    def _say(self, flaw: Exception | None) -> None:
        """What the server refuses, once."""
        if flaw is not None and str(flaw) not in self._said:
            self._said.add(str(flaw))
            log.warning("a request of a vehicle cannot be answered: %s", flaw)


def _body(grant: Grant) -> dict[str, Any]:
    body: dict[str, Any] = {"description": grant.tag, "start": grant.start, "duration": grant.length_s}
    if grant.energy_wh:
        return {**body, "energyAvailable": f"{grant.energy_wh} Wh"}
    return {**body, "decline": True}


def _request(name: str, told: Told) -> Request:
    return Request(
        mRID=str(told["mRID"]),
        device=name,
        energy_wh=_number(told["energy"]),
        power_w=_number(told["power"]),
        start=int(told["start"]),
        until=int(told["until"]),
        length_s=int(told["duration"]),
        is_asked=told["status"] == "requested",
        answers=tuple(_answered(one) for one in told["answers"]),
    )


def _answered(told: Told) -> Answered:
    energy = told["resource"]["energyAvailable"]
    return Answered(
        mRID=str(told["mRID"]),
        status=str(told["status"]),
        description=str(told["description"] or ""),
        energy_wh=int(energy["value"]) * 10 ** int(energy["multiplier"]),
    )


def _number(text: str) -> int:
    """The whole number of a text such as `18000 Wh`."""
    return int(float(text.partition(" ")[0]))
