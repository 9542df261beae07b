"""What a BMS says that has a bus of its own: it goes on, and is looked at, while its inverter is silent."""

from typing import Protocol, runtime_checkable

from der_client.device import BatteryState, Fault


@runtime_checkable
class HearingBms(Protocol):
    """A device whose battery is heard on another bus than its inverter."""

    def bms_says(self) -> BatteryState | Fault | None:
        """The battery as its BMS tells it now; None where no BMS is listened to."""
        ...


def bms_says(device: object) -> BatteryState | Fault | None:
    """What the BMS of a device says now, whatever its inverter does; None where there is none to be heard."""
    return device.bms_says() if isinstance(device, HearingBms) else None
