"""The versions of CSIP-AUS that a server speaks and where each begins: `/.well-known/csipaus`. CSIP-AUS v1.3.

The form rests on public test material, not on the printed specification.
"""

import json
from typing import Final

from schemas import csip_aus
from sep2_server.messages import Answer
from sep2_server.settings import Settings
from sep2_server.uris import ENTRY

WELL_KNOWN: Final = "/.well-known/csipaus"
READS: Final = frozenset({"GET", "HEAD"})


def version_discovery(settings: Settings, method: str) -> Answer:
    """The document with the DeviceCapability of each version, for every client with a good certificate.

    405 for other methods than GET and HEAD; `version_discovery_status` where no version came after v1.2:
    its clients know nothing of this document.
    """
    if method not in READS:
        return Answer(405, (("Allow", "GET, HEAD"),))
    versions = versions_of(settings)
    if not versions.keys() - {csip_aus.CSIP_AUS_V1_2.extension_namespace}:
        return Answer(settings.profile.version_discovery_status)
    body = json.dumps({"supportedSchemaVersions": {v: {"dcap": d} for v, d in versions.items()}})
    return Answer(200, (("Content-Type", "application/json"),), body.encode())


def versions_of(settings: Settings) -> dict[str, list[str]]:
    """Paths of DeviceCapability by the namespace of the version."""
    found: dict[str, list[str]] = {}
    for prefix, profile in settings.all_profiles.items():
        if profile.xml.extension_namespace:
            found.setdefault(profile.xml.extension_namespace, []).append(prefix + ENTRY)
    return found
