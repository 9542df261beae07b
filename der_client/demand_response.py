"""What a demand response device tells of the instruction that it holds. Pure. CSIP-AUS DRA-02, DRD-01.

Instructions are the demand response modes of AS/NZS 4755: off, four of load, four of generation. They come as
opModConnect and as certain shares in opModFixedW, and are told back in operationalModeStatus.
"""

from collections.abc import Mapping
from typing import Final

from der_client.device_view import DeviceView

OFF: Final = 100
MODE_OF: Final[Mapping[int, int]] = {
    -1: 101,
    -5_000: 102,
    -7_500: 103,
    -10_000: 104,
    0: 105,
    5_000: 106,
    7_500: 107,
    10_000: 108,
}
"""operationalModeStatus by opModFixedW, 0.01 %: the least load is -1, for 0 is no generation."""
CONNECT, TARGET = "connect", "target_w"


def instruction_of(view: DeviceView) -> int | None:
    """The operationalModeStatus of the instruction in force; None without one, or where it is not held.

    A device under local control, or one that does not answer, follow or take what is asked, holds none.
    """
    if view.plan is None or view.silent is not None or view.is_local or not view.may_write:
        return None
    modes, short = view.plan.modes, {*view.failed, *view.unsupported, *view.short}
    if "opModConnect" in modes and modes["opModConnect"].value is False:
        return OFF if view.setpoint.connect is False and CONNECT not in short else None
    share = modes["opModFixedW"].value if "opModFixedW" in modes else None
    is_held = view.setpoint.target_w is not None and TARGET not in short
    return MODE_OF.get(share) if isinstance(share, int) and is_held else None
