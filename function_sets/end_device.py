"""End Device. IEEE 2030.5-2018."""

from function_sets.model import DELETE, POST, PUT, Access, FunctionSet, Methods, Route, asc, desc
from schemas import DeviceStatus, EndDevice, EndDeviceList, Registration

FUNCTION_SET = FunctionSet(
    name="End Device",
    code="edev",
    clause="schema",
    routes=(
        Route(
            id="EndDeviceList",
            path="/edev",
            type=EndDeviceList,
            methods=Methods("MMEOE"),
            access=Access.SELF,
            item=EndDevice,
            order=(
                desc("changedTime"),
                asc("sFDI"),
                asc("href"),
            ),
            writes=POST,
            accepts=(EndDevice,),
        ),
        Route(
            id="EndDevice",
            path="/edev/{id1}",
            type=EndDevice,
            methods=Methods("MMOEO"),
            access=Access.OWNER,
            writes=PUT | DELETE,
            accepts=(EndDevice,),
        ),
        Route(
            id="Registration",
            path="/edev/{id1}/rg",
            type=Registration,
            methods=Methods("MMOEO"),
            access=Access.OWNER,
            accepts=(Registration,),
        ),
        Route(
            id="DeviceStatus",
            path="/edev/{id1}/dstat",
            type=DeviceStatus,
            methods=Methods("MMMEO"),
            access=Access.OWNER,
            writes=PUT,
            accepts=(DeviceStatus,),
        ),
    ),
)
