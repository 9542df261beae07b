"""Log Event. IEEE 2030.5-2018."""

from function_sets.model import DELETE, POST, Access, FunctionSet, Methods, Route, desc
from schemas import LogEvent, LogEventList

FUNCTION_SET = FunctionSet(
    name="Log Event",
    code="lel",
    clause="schema",
    routes=(
        Route(
            id="LogEventList",
            path="/edev/{id1}/lel",
            type=LogEventList,
            methods=Methods("MMEME"),
            access=Access.OWNER,
            item=LogEvent,
            order=(
                desc("createdDateTime"),
                desc("logEventID"),
            ),
            after="createdDateTime",
            writes=POST,
            accepts=(LogEvent,),
        ),
        Route(
            id="LogEvent",
            path="/edev/{id1}/lel/{id2}",
            type=LogEvent,
            methods=Methods("MMOEM"),
            access=Access.OWNER,
            writes=DELETE,
            accepts=(LogEvent,),
        ),
    ),
)
