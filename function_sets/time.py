"""Time. IEEE 2030.5-2018."""

from function_sets.model import Access, FunctionSet, Methods, Route
from schemas import Time

FUNCTION_SET = FunctionSet(
    name="Time",
    code="tm",
    clause="schema",
    routes=(
        Route(
            id="Time",
            path="/tm",
            type=Time,
            methods=Methods("MMDEE"),
            access=Access.PUBLIC,
            accepts=(Time,),
        ),
    ),
)
