"""Events of other function sets in the form of a DERControl, so that one set of rules decides over all."""

from function_sets import randomization_of
from schemas import DERControl, DERControlBase, Event


def control_of(event: Event, base: DERControlBase) -> DERControl:
    """A DERControl that has the times, the status and the wishes for Responses of another event."""
    start_s, duration_s = randomization_of(event)
    return DERControl(
        replyTo=event.replyTo,
        responseRequired=event.responseRequired,
        mRID=event.mRID,
        version=event.version,
        creationTime=event.creationTime,
        EventStatus_=event.EventStatus_,
        interval=event.interval,
        randomizeDuration=duration_s or None,
        randomizeStart=start_s or None,
        DERControlBase_=base,
    )
