"""Function Set Assignments. IEEE 2030.5-2018."""

from function_sets.model import Access, FunctionSet, Methods, Route, desc
from schemas import FunctionSetAssignments, FunctionSetAssignmentsList

FUNCTION_SET = FunctionSet(
    name="Function Set Assignments",
    code="fsa",
    clause="schema",
    routes=(
        Route(
            id="FunctionSetAssignmentsList",
            path="/edev/{id1}/fsa",
            type=FunctionSetAssignmentsList,
            methods=Methods("MMEDE"),
            access=Access.OWNER,
            item=FunctionSetAssignments,
            order=(desc("mRID"),),
            accepts=(FunctionSetAssignments,),
        ),
        Route(
            id="FunctionSetAssignments",
            path="/edev/{id1}/fsa/{id2}",
            type=FunctionSetAssignments,
            methods=Methods("MMEED"),
            access=Access.OWNER,
        ),
    ),
)
