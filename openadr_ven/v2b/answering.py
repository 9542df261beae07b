"""What a VEN does with each message that a VTN sends, and what it answers. No IO but through the desk.

OpenADR 2.0b, R306, R327 to R329, R407.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from openadr_ven.events import Code, Ports, Refusal, Snapshot, forget, receive
from openadr_ven.v2b import messages as m
from openadr_ven.v2b.desk import Desk, with_owed
from openadr_ven.v2b.errors import NotExpected
from openadr_ven.v2b.kept import Kept, Owed, Registration
from openadr_ven.v2b.report_messages import ReportOffer, ReportRequest
from openadr_ven.v2b.reporting import Job, Running, digest_of, is_metadata, last_job, refusal_of, scheduled

log = logging.getLogger(__name__)
NO_ID: Final = Refusal(code=Code.INVALID_ID, text="not the ID of this registration")


@dataclass(slots=True)
class Answering:
    """Takes the messages of a VTN.

    `ports` gives what the state machine needs for a registration, `report` makes the last report of a
    request, `offers` are what we can report, and `again` is called where the VTN wants a new registration.
    """

    desk: Desk
    ports: Callable[[Registration], Ports]
    offers: Callable[[], tuple[ReportOffer, ...]]
    report: Callable[[Job], Awaitable[m.UpdateReport]]
    new_id: Callable[[], str]
    now: Callable[[], float]
    again: Callable[[], None]

    async def take(self, message: m.Message) -> None:
        """Do what a message says, and owe the answer. Raises NotExpected for one that is none for a VEN."""
        handle = _HANDLERS.get(type(message))
        if handle is None:
            raise NotExpected(f"{type(message).__name__} does not come by a poll")
        registration = self.desk.kept.registration
        if registration is None:
            raise NotExpected(f"{type(message).__name__} without a registration")
        await handle(self, message, registration)

    async def events(self, message: m.DistributeEvent, known: Registration) -> None:
        """Events are for the state machine, as a full list (R50).

        A message of another VTN is answered with 452, and one that says that the request failed is not a
        list: neither changes anything.
        """
        response = message.response
        if message.vtnID != known.vtnID:
            log.warning("events of VTN %s, not %s: answered with 452", message.vtnID, known.vtnID)
            refused = _refused(NO_ID, message.requestID)
            await self.desk.owe(
                m.Service.EVENT, m.CreatedEvent(venID=known.venID, answers=(), response=refused)
            )
        elif response is not None and not response.is_good:
            log.warning("no list of events: %s %s", response.code, response.text)
        else:
            snapshot = Snapshot(events=message.events, is_full=True, requestID=message.requestID)
            ports = self.ports(known)
            await self.desk.decide(lambda state, now: receive(state, snapshot, now, ports))

    async def create_report(self, message: m.CreateReport, known: Registration) -> None:
        """Requests are taken all or none; the answer lists all that is scheduled (R329)."""
        refusal = self._refusal(message.requests, message.venID, known)
        if refusal is not None:
            log.warning("report request refused: %s %s", int(refusal.code), refusal.text)
        else:
            await self.schedule(message.requests)
        response = _response(refusal, message.requestID)
        await self.desk.owe(
            m.Service.REPORT,
            m.CreatedReport(response=response, pending=self._pending(), venID=known.venID),
        )
        if refusal is None and any(is_metadata(one) for one in message.requests):
            await self.offer(known)

    async def registered_report(self, message: m.RegisteredReport, known: Registration) -> None:
        """Our metadata was taken: every request before is void (R306), those that come with it are not."""
        digest = digest_of(self.offers())
        await self.desk.change(lambda kept: replace(kept, running=(), offered=digest))
        if message.requests:
            await self.create_report(
                m.CreateReport(
                    requestID=message.response.requestID, requests=message.requests, venID=message.venID
                ),
                known,
            )

    async def offer(self, known: Registration) -> None:
        """All that we can report, every time (R306)."""
        await self.desk.owe(
            m.Service.REPORT,
            m.RegisterReport(requestID=self.new_id(), offers=self.offers(), venID=known.venID),
        )

    async def schedule(self, requests: tuple[ReportRequest, ...]) -> None:
        """Requests begin to run; one with the ID of another takes its place."""
        now = int(self.now())
        made = tuple(scheduled(one, self.offers(), now) for one in requests if not is_metadata(one))
        names = {one.request.reportRequestID for one in made}
        await self.desk.change(lambda kept: replace(kept, running=(*_without(kept.running, names), *made)))

    async def cancel_report(self, message: m.CancelReport, known: Registration) -> None:
        """Requests end; the last report follows the answer if it is wanted (R328)."""
        running = {one.request.reportRequestID: one for one in self.desk.kept.running}
        unknown = [one for one in message.reportRequestIDs if one not in running]
        refusal = Refusal(code=Code.INVALID_ID, text=f"no request {unknown[0]!r:.80}") if unknown else None
        if _is_other(message.venID, known):
            refusal = NO_ID
        ended = [] if refusal else [running[one] for one in dict.fromkeys(message.reportRequestIDs)]
        names = {one.request.reportRequestID for one in ended}
        await self.desk.change(lambda kept: replace(kept, running=_without(kept.running, names)))
        await self.desk.owe(
            m.Service.REPORT,
            m.CanceledReport(
                response=_response(refusal, message.requestID), pending=self._pending(), venID=known.venID
            ),
        )
        jobs = [last_job(one, self.offers(), int(self.now())) for one in ended if message.is_to_follow]
        for job in (one for one in jobs if one is not None):
            await self.desk.owe(m.Service.REPORT, await self.report(job))

    async def register_report(self, message: m.RegisterReport, known: Registration) -> None:
        """What the VTN can report: taken note of, nothing is asked for."""
        await self.desk.owe(
            m.Service.REPORT,
            m.RegisteredReport(response=_response(None, message.requestID), venID=known.venID),
        )

    async def update_report(self, message: m.UpdateReport, known: Registration) -> None:
        """Data that nobody here asked for is acknowledged."""
        await self.desk.owe(
            m.Service.REPORT,
            m.UpdatedReport(response=_response(None, message.requestID), venID=known.venID),
        )

    async def cancel_registration(self, message: m.CancelPartyRegistration, known: Registration) -> None:
        """The VTN ends the registration: nothing is left of it but the answer (R407)."""
        is_ours = message.registrationID == known.registrationID and not _is_other(message.venID, known)
        answer = Owed(
            service=m.Service.REGISTER_PARTY,
            message=m.CanceledPartyRegistration(
                response=_response(None if is_ours else NO_ID, message.requestID),
                registrationID=message.registrationID,
                venID=known.venID,
            ),
        )
        if not is_ours:
            log.warning("cancellation of registration %s, which is not ours", message.registrationID)
            await self.desk.change(lambda kept: with_owed(kept, answer))
            return
        log.error("the VTN cancelled the registration: a person must begin a new one")
        await self.forget(answer)

    async def forget(self, *answers: Owed) -> None:
        """Nothing is left of a registration but answers; all that runs stops (R407)."""
        await self.desk.decide(forget, lambda kept: Kept(state=kept.state, owed=answers, is_cancelled=True))

    async def reregister(self, message: m.RequestReregistration, known: Registration) -> None:
        """The VTN wants a re-registration, which comes after the answer."""
        refusal = NO_ID if _is_other(message.venID, known) else None
        await self.desk.owe(
            m.Service.REGISTER_PARTY, m.Response(response=_response(refusal, ""), venID=known.venID)
        )
        if refusal is None:
            self.again()

    def _refusal(
        self, requests: tuple[ReportRequest, ...], venID: str | None, known: Registration
    ) -> Refusal | None:
        if _is_other(venID, known):
            return NO_ID
        offers = self.offers()
        found = (refusal_of(one, offers) for one in requests)
        return next((one for one in found if one is not None), None)

    def _pending(self) -> tuple[str, ...]:
        return tuple(one.request.reportRequestID for one in self.desk.kept.running)


def _without(running: tuple[Running, ...], names: set[str]) -> tuple[Running, ...]:
    return tuple(one for one in running if one.request.reportRequestID not in names)


def _is_other(venID: str | None, known: Registration) -> bool:
    return venID is not None and venID != known.venID


def _response(refusal: Refusal | None, requestID: str) -> m.EiResponse:
    return m.EiResponse(requestID=requestID) if refusal is None else _refused(refusal, requestID)


def _refused(refusal: Refusal, requestID: str) -> m.EiResponse:
    return m.EiResponse(code=int(refusal.code), text=refusal.text, requestID=requestID)


_HANDLERS: Final[dict[type, Callable[[Answering, Any, Registration], Awaitable[None]]]] = {
    m.DistributeEvent: Answering.events,
    m.CreateReport: Answering.create_report,
    m.CancelReport: Answering.cancel_report,
    m.RegisterReport: Answering.register_report,
    m.UpdateReport: Answering.update_report,
    m.CancelPartyRegistration: Answering.cancel_registration,
    m.RequestReregistration: Answering.reregister,
}
"""By the kind of what a poll brought. OpenADR 2.0b, OadrPoll."""
