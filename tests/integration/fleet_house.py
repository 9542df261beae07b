"""A fleet beside a furnished house: a thousand devices, programs, controls and readings, over many pages."""

from dataclasses import dataclass
from typing import Final

from certs import LFDI
from schemas import (
    DateTimeInterval,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from sep2_server.end_devices import Enrolment, add_end_device
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk
from sep2_server.operator.tree import insert_in
from tests.integration.lived_in_house import House
from tests.integration.sep2_harness import START, make_control

DEVICES: Final = 1_000
PROGRAMS: Final = 100
CONTROLS: Final = 1_000
MIRRORS: Final = 50
READINGS: Final = 100
"""Of each mirror."""
PEN: Final = 40732
FULL: Final = {"managed_subscription_lists": True, "mirror_usage_points_per_device": 2 * MIRRORS}
"""Settings beside those of a furnished house."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is put beside a furnished house."""

    house: House

    async def fill(self) -> None:
        """Devices of the aggregator, programs, controls of one of them, and readings of the device."""
        await self.house.bench.do(self._devices)
        await self.house.bench.do(self._programs)
        await self._readings()

    def _devices(self, desk: Desk) -> None:
        manager = desk.client(self.house.aggregator).end_device_id
        for number in range(DEVICES):
            enrolment = Enrolment(
                lfdi=_lfdi(number), name=f"fleet-{number}", pin=111115, aggregator_id=manager
            )
            add_end_device(desk.transaction, desk.environment, enrolment, desk.now)

    def _programs(self, desk: Desk) -> None:
        """Each group has a program; the device is in the first, which has all the controls."""
        for number in range(PROGRAMS):
            group = programs.add_group(desk, f"feeder {number}")
            program = programs.add_program(desk, group, primacy=number, description=group.name)
            for member in range(number, DEVICES, PROGRAMS):
                programs.assign(desk, group, desk.client(f"fleet-{member}"))
            if number == 0:
                programs.assign(desk, group, desk.client(self.house.device))
                for control in range(CONTROLS):
                    mrid = f"{control:08X}{PEN:08X}"
                    start_s = START + 86_400 + 600 * control
                    insert_in(desk, program, "DERControlList", make_control(mrid, start_s, 600))

    async def _readings(self) -> None:
        client = await self.house.client()
        lfdi = self.house.bench.credentials(self.house.device).lfdi
        for number in range(MIRRORS):
            reply = await client.post(self.house.places["MirrorUsagePointList"], _mirror(number, lfdi))
            if reply.status != 201:
                raise RuntimeError(f"a mirror is not taken: {reply.status}")


def _mirror(number: int, lfdi: str) -> MirrorUsagePoint:
    values = [
        Reading(localID=f"{one:04X}", timePeriod=_period(one), value=number * one) for one in range(READINGS)
    ]
    held = MirrorReadingSet(
        mRID=f"{number:04X}03{PEN:08X}",
        timePeriod=DateTimeInterval(start=START - 86_400, duration=60 * READINGS),
        Reading_=values,
    )
    power = ReadingType(commodity=1, kind=37, uom=38, powerOfTenMultiplier=0, flowDirection=19)
    meter = MirrorMeterReading(mRID=f"{number:04X}02{PEN:08X}", ReadingType_=power, MirrorReadingSet_=[held])
    return MirrorUsagePoint(
        mRID=f"{number:04X}01{PEN:08X}",
        roleFlags="49",
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=lfdi,
        MirrorMeterReading_=[meter],
    )


def _period(number: int) -> DateTimeInterval:
    return DateTimeInterval(start=START - 86_400 + 60 * number, duration=60)


def _lfdi(number: int) -> LFDI:
    return LFDI(f"{(number * 2_654_435_761 + 0x5EED) % 2**36:09X}{number:031X}")
