"""Bodies of Responses. Pure. IEEE 2030.5-2018, 10.2.3."""

from function_sets import Due
from schemas import DERControlResponse


def response_of(due: Due, lfdi: str, now: int) -> DERControlResponse:
    """The Response that is owed to a DERControl, made at `now`, server time, s."""
    return DERControlResponse(createdDateTime=now, endDeviceLFDI=lfdi, status=due.status, subject=due.mRID)
