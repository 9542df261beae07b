"""Metering Mirror. IEEE 2030.5-2018, 10.11."""

from function_sets.model import DELETE, POST, PUT, Access, FunctionSet, Methods, Route, desc
from schemas import MirrorMeterReading, MirrorMeterReadingList, MirrorUsagePoint, MirrorUsagePointList

FUNCTION_SET = FunctionSet(
    name="Metering Mirror",
    code="mup",
    clause="10.11",
    routes=(
        Route(
            id="MirrorUsagePointList",
            path="/mup",
            type=MirrorUsagePointList,
            methods=Methods("MMEME"),
            access=Access.SELF,
            item=MirrorUsagePoint,
            order=(desc("mRID"),),
            writes=POST,
            accepts=(MirrorUsagePoint,),
        ),
        Route(
            id="MirrorUsagePoint",
            path="/mup/{id1}",
            type=MirrorUsagePoint,
            methods=Methods("OOMMM"),
            access=Access.OWNER,
            writes=PUT | POST | DELETE,
            accepts=(
                MirrorMeterReading,
                MirrorMeterReadingList,
                MirrorUsagePoint,
            ),
        ),
    ),
)
