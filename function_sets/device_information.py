"""Device Information. IEEE 2030.5-2018."""

from function_sets.model import DELETE, POST, PUT, Access, FunctionSet, Methods, Route, asc
from schemas import DeviceInformation, SupportedLocale, SupportedLocaleList

FUNCTION_SET = FunctionSet(
    name="Device Information",
    code="di",
    clause="schema",
    routes=(
        Route(
            id="DeviceInformation",
            path="/edev/{id1}/di",
            type=DeviceInformation,
            methods=Methods("MMMEO"),
            access=Access.OWNER,
            writes=PUT,
            accepts=(DeviceInformation,),
        ),
        Route(
            id="SupportedLocaleList",
            path="/edev/{id1}/di/loc",
            type=SupportedLocaleList,
            methods=Methods("MMEME"),
            access=Access.OWNER,
            item=SupportedLocale,
            order=(asc("href"),),
            writes=POST,
            accepts=(SupportedLocale,),
        ),
        Route(
            id="SupportedLocale",
            path="/edev/{id1}/di/loc/{id2}",
            type=SupportedLocale,
            methods=Methods("MMMEM"),
            access=Access.OWNER,
            writes=PUT | DELETE,
            accepts=(SupportedLocale,),
        ),
    ),
)
