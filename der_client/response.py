"""Bodies of Responses. Pure. IEEE 2030.5-2018, 10.2.3."""

from function_sets import Due
from schemas import DERControlResponse, Response


def response_of(due: Due, lfdi: str, now: int, kind: type[Response] = DERControlResponse) -> Response:
    """The Response of a type that is owed to an event, made at `now`, server time, s."""
    return kind(createdDateTime=now, endDeviceLFDI=lfdi, status=due.status, subject=due.mRID)
