"""DeviceStatus and PowerStatus: changedTime moves with what they say. IEEE 2030.5-2018, 10."""

from sep2_server.action import Action
from sep2_server.messages import Answer
from sep2_server.writes import put_resource


def put_status(action: Action) -> Answer:
    """Store a status; changedTime is set to now where the device changed the rest and left it.

    One that was ahead, as the device's clock was, does not hold up those that follow.
    """
    row, posted = action.target.row, action.value
    if row is not None:
        stored = action.environment.codec.decode_fragment(row.body, type(posted))
        stamped = min(stored.changedTime, action.now)
        stored.changedTime, stored.href, stored.pollRate = posted.changedTime, posted.href, posted.pollRate
        if stored != posted and posted.changedTime <= stamped:
            posted.changedTime = action.now
    return put_resource(action)
