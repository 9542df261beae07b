"""Batteries on CAN: driver, DBC mapping, battery simulator and a socketcand hub."""

from der_client.physics.pack import Pack, PackSettings

from .bms import BmsFault, BmsSettings, SimulatedBms
from .bus import BusSettings, CanLink
from .driver import CanBms
from .errors import BusError, CanConfigError, ProfileError
from .frame import CanFrame
from .hub import CanHub
from .inbox import FramePort
from .library import builtin_profiles, load_profile
from .limits import BatteryLimits
from .mapping import Profile
from .simulator import BatterySettings, BatterySimulator, ServedBattery, serve_battery
from .state import BmsState
from .watch import WatchedFrame, listen, watch_frames

__all__ = [
    "BatteryLimits",
    "BatterySettings",
    "BatterySimulator",
    "BmsFault",
    "BmsSettings",
    "BmsState",
    "BusError",
    "BusSettings",
    "CanBms",
    "CanConfigError",
    "CanFrame",
    "CanHub",
    "CanLink",
    "FramePort",
    "Pack",
    "PackSettings",
    "Profile",
    "ProfileError",
    "ServedBattery",
    "SimulatedBms",
    "WatchedFrame",
    "builtin_profiles",
    "listen",
    "load_profile",
    "serve_battery",
    "watch_frames",
]
