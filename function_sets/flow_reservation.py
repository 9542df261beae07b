"""Flow Reservation. IEEE 2030.5-2018, 10.9."""

from function_sets.model import DELETE, POST, PUT, Access, FunctionSet, Methods, Route, asc, desc
from schemas import (
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationResponse,
    FlowReservationResponseList,
)

FUNCTION_SET = FunctionSet(
    name="Flow Reservation",
    code="fr",
    clause="10.9",
    routes=(
        Route(
            id="FlowReservationRequestList",
            path="/edev/{id1}/frq",
            type=FlowReservationRequestList,
            methods=Methods("MMEME"),
            access=Access.OWNER,
            item=FlowReservationRequest,
            order=(
                asc("intervalRequested.start"),
                desc("creationTime"),
                desc("mRID"),
            ),
            after="intervalRequested.start",
            writes=POST,
            accepts=(FlowReservationRequest,),
        ),
        Route(
            id="FlowReservationRequest",
            path="/edev/{id1}/frq/{id2}",
            type=FlowReservationRequest,
            methods=Methods("MMMEO"),
            access=Access.OWNER,
            writes=PUT | DELETE,
            accepts=(FlowReservationRequest,),
        ),
        Route(
            id="FlowReservationResponseList",
            path="/edev/{id1}/frp",
            type=FlowReservationResponseList,
            methods=Methods("MMEDE"),
            access=Access.OWNER,
            item=FlowReservationResponse,
            order=(
                asc("interval.start"),
                desc("creationTime"),
                desc("mRID"),
            ),
            after="interval.start",
            accepts=(FlowReservationResponse,),
        ),
        Route(
            id="FlowReservationResponse",
            path="/edev/{id1}/frp/{id2}",
            type=FlowReservationResponse,
            methods=Methods("MMEED"),
            access=Access.OWNER,
        ),
    ),
)
