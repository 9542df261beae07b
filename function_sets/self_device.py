"""Self Device. IEEE 2030.5-2018."""

from function_sets.model import Access, FunctionSet, Methods, Route
from schemas import SelfDevice

FUNCTION_SET = FunctionSet(
    name="Self Device",
    code="sdev",
    clause="schema",
    routes=(
        Route(
            id="SelfDevice",
            path="/sdev",
            type=SelfDevice,
            methods=Methods("MMDEE"),
            access=Access.PUBLIC,
            accepts=(SelfDevice,),
        ),
    ),
)
