"""What differs between the profiles that a client may speak: values, no behaviour. Pure.

`base` is the standard alone, `csip` that of California and SunSpec, `csip_aus*` the Australian ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from function_sets import Rules
from owner import SettingsError
from schemas import BASE, Profile, csip_aus

RULES: Final = Rules()
AGGREGATOR_RULES: Final = Rules.of_aggregator()
RATINGS_S: Final = 900.0
"""As often as a resource without a rate is polled: a server that lost its store has it again by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProfile:
    """One profile. `schema` has the elements and the namespace of its documents.

    `before_start` and `after_start` are the codes for an event that loses against one of another program;
    `aggregator_before_start` is that of an aggregator (CSIP AGG-007, AGG-008, errata 5 and 6). With
    `versions` the client looks at `/.well-known/csipaus` for the first of them that the server has. With
    `lists_mirrors` postRate is learnt from the MirrorUsagePointList, which is polled (ALL-06, ALL-10). With
    `mirrors_site` the meter of the site and the energy in a battery are posted too (ALL-06, STO-01). Ratings
    and settings that have not changed are stored again after `ratings_s` (STO-05); None: never.
    """

    name: str
    schema: Profile = BASE
    before_start: int = RULES.other_program_before_start
    aggregator_before_start: int = RULES.other_program_before_start
    after_start: int = RULES.other_program_after_start
    versions: tuple[Profile, ...] = ()
    lists_mirrors: bool = False
    mirrors_site: bool = False
    ratings_s: float | None = None


V1_3: Final = csip_aus.CSIP_AUS_V1_3
V1_3_STORAGE: Final = csip_aus.CSIP_AUS_V1_3_STORAGE
V1_2: Final = csip_aus.CSIP_AUS_V1_2
V1_1A: Final = csip_aus.CSIP_AUS_V1_1A


def _australian(name: str, schema: Profile, *versions: Profile) -> ClientProfile:
    return ClientProfile(
        name=name,
        schema=schema,
        versions=versions,
        lists_mirrors=True,
        mirrors_site=True,
        ratings_s=RATINGS_S,
    )


PROFILES: Final[Mapping[str, ClientProfile]] = {
    one.name: one
    for one in (
        ClientProfile(name="base"),
        ClientProfile(name="csip", aggregator_before_start=AGGREGATOR_RULES.other_program_before_start),
        _australian("csip_aus", V1_2, V1_3, V1_3_STORAGE, V1_2),
        _australian("csip_aus_v1.1a", V1_1A),
        _australian("csip_aus_v1.2", V1_2),
        _australian("csip_aus_v1.3_storage", V1_3_STORAGE, V1_3_STORAGE),
        _australian("csip_aus_v1.3", V1_3, V1_3),
    )
}


def profile_named(name: str) -> ClientProfile:
    """The profile with a name. SettingsError where there is none."""
    if name not in PROFILES:
        raise SettingsError(f"profile: {name!r} is none of {', '.join(PROFILES)}")
    return PROFILES[name]


def version_of(document: object, versions: Sequence[Profile]) -> tuple[Profile, str] | None:
    """The best of our versions that the document of `/.well-known/csipaus` has, and its DeviceCapability.

    Versions that we do not know, entries of another form and those without a path are passed over; None
    where nothing is left. CSIP-AUS SDVN-01.
    """
    listed = document.get("supportedSchemaVersions") if isinstance(document, Mapping) else None
    if not isinstance(listed, Mapping):
        return None
    for version in versions:
        path = _first_path(listed.get(version.extension_namespace))
        if path is not None:
            return version, path
    return None


def _first_path(entry: object) -> str | None:
    paths = entry.get("dcap") if isinstance(entry, Mapping) else None
    found = [path for path in paths if isinstance(path, str) and path] if isinstance(paths, list) else []
    return found[0] if found else None
