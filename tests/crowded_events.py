"""Strategies of events that crowd one list: times, modes, categories and creation times that meet."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from schemas import DateTimeInterval, DERControl, DERControlBase, EventStatus, TextMessage

NOW: Final = 1_700_000_000
BASES: Final = (
    DERControlBase(opModMaxLimW=5000),
    DERControlBase(opModConnect=True),
    DERControlBase(opModMaxLimW=4000, opModConnect=False, rampTms=5),
    DERControlBase(rampTms=5),
)
MRIDS: Final = st.sampled_from(["0A", "0B", "1A", "A0"])
MADE: Final = st.integers(NOW - 3, NOW + 2)
STATUSES: Final = st.builds(
    EventStatus,
    currentStatus=st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4]),
    dateTime=MADE,
    potentiallySuperseded=st.booleans(),
    potentiallySupersededTime=st.none() | MADE,
)
SPANS: Final = st.builds(
    DateTimeInterval,
    duration=st.sampled_from([20, 20, 40, 0]),
    start=st.sampled_from([NOW - 10, NOW, NOW + 10, NOW - 30]),
)
RANDOM: Final = st.sampled_from([None, None, None, None, -10, 5])
CATEGORIES: Final = st.sampled_from([None, None, None, "00000001", "00000003", "00000004"])
TIMES: Final = st.sampled_from([*range(NOW - 4, NOW + 4), *range(NOW - 40, NOW + 41, 5)])
"""Seconds to look at the events, among them those at which they were made, begin and end."""


def controls() -> SearchStrategy[DERControl]:
    """DERControls around `NOW`, in any state, whether that is right or not."""
    return st.builds(
        DERControl,
        mRID=MRIDS,
        creationTime=MADE,
        EventStatus_=STATUSES,
        interval=SPANS,
        randomizeStart=RANDOM,
        randomizeDuration=RANDOM,
        DERControlBase_=st.sampled_from(BASES),
        deviceCategory=CATEGORIES,
    )


def messages() -> SearchStrategy[TextMessage]:
    """TextMessages around `NOW`, which govern nothing."""
    return st.builds(
        TextMessage,
        mRID=MRIDS,
        creationTime=MADE,
        EventStatus_=STATUSES,
        interval=SPANS,
        priority=st.just(1),
        textMessage=st.just("hello"),
    )
