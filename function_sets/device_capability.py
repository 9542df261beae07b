"""Device Capability. IEEE 2030.5-2018, function set."""

from function_sets.model import Access, FunctionSet, Methods, Route
from schemas import DeviceCapability

FUNCTION_SET = FunctionSet(
    name="Device Capability",
    code="dcap",
    clause="function set",
    routes=(
        Route(
            id="DeviceCapability",
            path="/dcap",
            type=DeviceCapability,
            methods=Methods("MMEEE"),
            access=Access.PUBLIC,
        ),
    ),
)
