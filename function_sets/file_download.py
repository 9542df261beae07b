"""File Download. IEEE 2030.5-2018."""

from function_sets.model import PUT, Access, FunctionSet, Methods, Route, asc
from schemas import File, FileList, FileStatus

FUNCTION_SET = FunctionSet(
    name="File Download",
    code="file",
    clause="schema",
    routes=(
        Route(
            id="FileList",
            path="/file",
            type=FileList,
            methods=Methods("MMEDE"),
            access=Access.ASSIGNED,
            item=File,
            order=(asc("href"),),
            accepts=(File,),
        ),
        Route(
            id="File",
            path="/file/{id1}",
            type=File,
            methods=Methods("MMDED"),
            access=Access.ASSIGNED,
            accepts=(File,),
        ),
        Route(
            id="FileStatus",
            path="/edev/{id1}/fs",
            type=FileStatus,
            methods=Methods("MMMEE"),
            access=Access.OWNER,
            writes=PUT,
            accepts=(FileStatus,),
        ),
    ),
)
