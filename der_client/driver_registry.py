"""Which drivers are installed: entry points of the group `lineside.drivers`, loaded when first needed."""

import inspect
from dataclasses import dataclass, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from der_client.driver import Driver
from der_client.errors import DriverError
from owner import SettingShape, shapes_of

GROUP: Final = "lineside.drivers"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverKind:
    """One installed driver: its class, and the package that brought it."""

    driver: type[Driver[object]]
    package: str

    @property
    def kind(self) -> str:
        """The word by which configuration files name it."""
        return self.driver.kind

    @property
    def summary(self) -> str:
        """First line of what the driver says of itself."""
        return (inspect.getdoc(self.driver) or "").partition("\n")[0]

    @property
    def schema(self) -> tuple[SettingShape, ...]:
        """What can be set of it."""
        return shapes_of(self.driver.Settings)


def installed() -> tuple[str, ...]:
    """Kinds of the installed drivers, in order; none of them is loaded."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def driver_kind(kind: str) -> DriverKind:
    """The driver of that kind, loaded. DriverError if there is none; if it is broken, with its package."""
    found = tuple(entry_points(group=GROUP, name=kind))
    if not found:
        known = ", ".join(installed()) or "nothing: this package is not installed, or not anew"
        raise DriverError(f"{kind!r} is none of {known}")
    if len({point.value for point in found}) > 1:
        packages = " and ".join(sorted({_package_of(point) for point in found}))
        raise DriverError(f"{kind!r} is a driver of {packages}: remove all but one")
    return _loaded(found[0])


def _loaded(point: EntryPoint) -> DriverKind:
    package = _package_of(point)
    try:
        driver = point.load()
    except Exception as error:
        raise DriverError(f"{point.name!r}: the driver of package {package} is broken: {error!r}") from error
    if not (isinstance(driver, type) and issubclass(driver, Driver)):
        raise DriverError(f"{point.name!r}: {point.value} of package {package} is no Driver")
    if inspect.isabstract(driver):
        missing = ", ".join(sorted(driver.__abstractmethods__))
        raise DriverError(f"{point.name!r}: {point.value} of package {package} lacks {missing}")
    if getattr(driver, "kind", None) != point.name or not is_dataclass(getattr(driver, "Settings", None)):
        raise DriverError(
            f"{point.name!r}: {point.value} of package {package} needs kind = {point.name!r} "
            "and a dataclass as Settings"
        )
    return DriverKind(driver=driver, package=package)


def _package_of(point: EntryPoint) -> str:
    return "(unknown)" if point.dist is None else f"{point.dist.name} {point.dist.version}"
