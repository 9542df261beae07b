"""Object identifiers of the certificate profile, and what the policies mean. IEEE 2030.5-2018, 6.11.7.

`MODBUS_ROLE` is that of Modbus/TCP Security.
"""

from typing import Final

from cryptography.x509 import ObjectIdentifier

HARDWARE_MODULE_NAME: Final = ObjectIdentifier("1.3.6.1.5.5.7.8.4")
ANY_POLICY: Final = ObjectIdentifier("2.5.29.32.0")
MODBUS_ROLE: Final = ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
ECDSA_WITH_SHA256: Final = ObjectIdentifier("1.2.840.10045.4.3.2")

DEVICE_GENERIC: Final = ObjectIdentifier("1.3.6.1.4.1.40732.1.1")
DEVICE_MOBILE: Final = ObjectIdentifier("1.3.6.1.4.1.40732.1.2")
DEVICE_POST_MANUFACTURE: Final = ObjectIdentifier("1.3.6.1.4.1.40732.1.3")
TEST_CERTIFICATE: Final = ObjectIdentifier("1.3.6.1.4.1.40732.2.1")
SELF_SIGNED_CLIENT: Final = ObjectIdentifier("1.3.6.1.4.1.40732.2.2")
COMMERCIAL: Final = ObjectIdentifier("1.3.6.1.4.1.40732.2.3")
BULK_ISSUED: Final = ObjectIdentifier("1.3.6.1.4.1.40732.2.4")

DEVICE_TYPES: Final = frozenset({DEVICE_GENERIC, DEVICE_MOBILE, DEVICE_POST_MANUFACTURE})

POLICY_MEANINGS: Final = {
    ANY_POLICY: "any policy",
    DEVICE_GENERIC: "device type: generic",
    DEVICE_MOBILE: "device type: mobile",
    DEVICE_POST_MANUFACTURE: "device type: post-manufacture",
    TEST_CERTIFICATE: "policy: test certificate",
    SELF_SIGNED_CLIENT: "policy: self-signed client",
    COMMERCIAL: "policy: commercial (service provider)",
    BULK_ISSUED: "policy: bulk-issued certificate",
}
