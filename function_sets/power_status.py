"""Power Status. IEEE 2030.5-2018."""

from function_sets.model import PUT, Access, FunctionSet, Methods, Route
from schemas import PowerStatus

FUNCTION_SET = FunctionSet(
    name="Power Status",
    code="ps",
    clause="schema",
    routes=(
        Route(
            id="PowerStatus",
            path="/edev/{id1}/ps",
            type=PowerStatus,
            methods=Methods("MMMEE"),
            access=Access.OWNER,
            writes=PUT,
            accepts=(PowerStatus,),
        ),
    ),
)
