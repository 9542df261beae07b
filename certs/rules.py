"""Certificate profile of IEEE 2030.5-2018, 6.11, as a table: one row is one rule for some kinds."""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from certs import oids, problems
from certs.findings import CLAUSE, Finding, Kind, Severity
from certs.problems import Extensions, Problem

ALL: Final = frozenset(Kind)
CAS: Final = frozenset({Kind.ROOT, Kind.MCA, Kind.MICA})
DEVICE: Final = frozenset({Kind.DEVICE})
SELF_SIGNED: Final = frozenset({Kind.SELF_SIGNED_DEVICE})
MCA: Final = frozenset({Kind.MCA})
MICA: Final = frozenset({Kind.MICA})
SERVER: Final = frozenset({Kind.SERVER})
AGGREGATOR: Final = frozenset({Kind.AGGREGATOR})
SERVICES: Final = AGGREGATOR | SERVER
LEAVES: Final = ALL - CAS
ISSUED: Final = ALL - {Kind.ROOT, Kind.SELF_SIGNED_DEVICE}

WARNING: Final = Severity.WARNING

_REVOCATION: Final[Extensions] = frozenset(
    {
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.FRESHEST_CRL,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    }
)
_REFUSED: Final[Extensions] = frozenset({ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.POLICY_MAPPINGS})
_EVERYWHERE: Final[Extensions] = frozenset(
    {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
_OF_CA: Final[Extensions] = _EVERYWHERE | _REVOCATION | _REFUSED | {ExtensionOID.BASIC_CONSTRAINTS}
_OF_DEVICE: Final[Extensions] = _OF_CA | {ExtensionOID.SUBJECT_ALTERNATIVE_NAME}
_OF_SERVICE: Final[Extensions] = (_OF_DEVICE | {ExtensionOID.EXTENDED_KEY_USAGE}) - _REVOCATION


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the profile: for which kinds, what is wanted, and how to see that it is not so."""

    id: str
    kinds: frozenset[Kind]
    wants: str
    problem: Problem
    clause: str = CLAUSE
    severity: Severity = Severity.ERROR

    def finding(self, certificate: x509.Certificate) -> Finding | None:
        """Finding for a certificate that breaks this rule, or None."""
        wrong = self.problem(certificate)
        if wrong is None:
            return None
        text = f"{wrong}; wanted: {self.wants}"
        return Finding(rule=self.id, text=text, clause=self.clause, severity=self.severity)


RULES: Final = (
    Rule("version-3", ALL, "version 3", problems.wrong_version, clause="RFC 5280, 4.1.2.1"),
    Rule(
        "serial-number",
        ALL,
        "a positive number of at most 20 octets",
        problems.wrong_serial_number,
        clause="RFC 5280, 4.1.2.2",
    ),
    Rule("key-p256", ALL, "a key on the curve P-256", problems.wrong_key),
    Rule("signature-ecdsa-sha256", ALL, "ecdsa-with-SHA256 (1.2.840.10045.4.3.2)", problems.wrong_signature),
    Rule(
        "no-expiry",
        CAS | DEVICE,
        "notAfter 99991231235959Z, since these certificates do not expire",
        problems.expires,
    ),
    Rule(
        "validity-order",
        ALL,
        "notBefore, the time of issue, before notAfter",
        problems.validity_reversed,
        clause="RFC 5280, 4.1.2.5",
    ),
    Rule("issuer-named", ALL, "the subject of the signer", problems.issuer_empty),
    Rule("subject-named", CAS | SELF_SIGNED, "a subject with a name", problems.subject_empty),
    Rule(
        "service-subject-named",
        SERVICES,
        "a subject with country, organization or common name",
        problems.subject_empty,
        severity=WARNING,
    ),
    Rule(
        "device-subject-empty",
        DEVICE,
        "an empty subject: the hardwareModuleName names the device",
        problems.subject_present,
    ),
    Rule(
        "issued-by-ca",
        ISSUED,
        "a certificate signed by a CA (COMM-004 G refuses others)",
        problems.self_signed,
    ),
    Rule("own-signature", ALL - ISSUED, "a signature with its own key", problems.not_self_signed),
    Rule(
        "san-present",
        DEVICE | SERVICES,
        "a SubjectAltName",
        problems.missing(x509.SubjectAlternativeName, "SubjectAltName"),
        clause="IEEE 2030.5-2018, 6.11.7.4",
    ),
    Rule(
        "san-critical",
        DEVICE,
        "a critical one, since the subject is empty",
        problems.not_critical(x509.SubjectAlternativeName, "SubjectAltName"),
        clause="IEEE 2030.5-2018, 6.11.7.4",
    ),
    Rule(
        "server-san-critical",
        SERVER,
        "a critical one, since some clients refuse a server without",
        problems.not_critical(x509.SubjectAlternativeName, "SubjectAltName"),
        severity=WARNING,
    ),
    Rule(
        "aggregator-san-not-critical",
        AGGREGATOR,
        "one that is not critical beside a subject with names",
        problems.critical(x509.SubjectAlternativeName, "SubjectAltName"),
        clause="RFC 5280, 4.2.1.6",
        severity=WARNING,
    ),
    Rule(
        "san-hardware-module-name",
        DEVICE,
        "exactly one otherName 1.3.6.1.5.5.7.8.4 with hwType and hwSerialNum",
        problems.not_only_hardware_module_name,
        clause="IEEE 2030.5-2018, 6.11.7.4",
    ),
    Rule(
        "aggregator-hardware-module-name",
        AGGREGATOR,
        "an otherName 1.3.6.1.5.5.7.8.4 beside the DNS name",
        problems.no_hardware_module_name,
        clause="IEEE 2030.5-2018, 6.11.7.4",
        severity=WARNING,
    ),
    Rule(
        "server-host-name",
        SERVER,
        "the DNS names or IP addresses at which the server answers",
        problems.no_host_name,
    ),
    Rule(
        "aggregator-host-name",
        AGGREGATOR,
        "the DNS name at which it takes notifications",
        problems.no_host_name,
        severity=WARNING,
    ),
    Rule(
        "authority-key-identifier",
        ISSUED,
        "the SubjectKeyIdentifier of the signer",
        problems.no_authority_key_identifier,
    ),
    Rule(
        "authority-key-identifier-not-critical",
        ALL,
        "one that is not critical",
        problems.critical(x509.AuthorityKeyIdentifier, "AuthorityKeyIdentifier"),
    ),
    Rule(
        "subject-key-identifier",
        CAS,
        "8 octets: 0100 and the low 60 bits of the SHA-1 of the key (RFC 5280, 4.2.1.2, method 2)",
        problems.wrong_subject_key_identifier,
    ),
    Rule(
        "subject-key-identifier-not-critical",
        ALL,
        "one that is not critical",
        problems.critical(x509.SubjectKeyIdentifier, "SubjectKeyIdentifier"),
        clause="RFC 5280, 4.2.1.2",
    ),
    Rule("key-usage-critical", ALL, "a critical one", problems.not_critical(x509.KeyUsage, "KeyUsage")),
    Rule(
        "ca-key-usage",
        CAS,
        "keyCertSign + cRLSign",
        problems.key_usage_other_than({"keyCertSign", "cRLSign"}),
    ),
    Rule(
        "device-key-usage",
        DEVICE,
        "digitalSignature + keyAgreement",
        problems.key_usage_other_than({"digitalSignature", "keyAgreement"}),
    ),
    Rule(
        "leaf-key-usage",
        SERVICES | SELF_SIGNED,
        "digitalSignature, and neither keyCertSign nor cRLSign",
        problems.cannot_sign,
    ),
    Rule(
        "server-purpose",
        SERVER,
        "serverAuth, or no ExtendedKeyUsage",
        problems.purpose_lacks(ExtendedKeyUsageOID.SERVER_AUTH, "serverAuth"),
        clause="RFC 5280, 4.2.1.12",
    ),
    Rule(
        "aggregator-purpose",
        AGGREGATOR,
        "clientAuth, or no ExtendedKeyUsage",
        problems.purpose_lacks(ExtendedKeyUsageOID.CLIENT_AUTH, "clientAuth"),
        clause="RFC 5280, 4.2.1.12",
    ),
    Rule("ca-true", CAS, "BasicConstraints with CA true", problems.not_ca),
    Rule(
        "ca-constraints-critical",
        CAS,
        "critical ones",
        problems.not_critical(x509.BasicConstraints, "BasicConstraints"),
    ),
    Rule("mica-path-length", MICA, "a path length", problems.path_length_below(0)),
    Rule("mca-path-length", MCA, "a path length of at least 1", problems.path_length_below(1)),
    Rule("leaf-not-ca", LEAVES, "a certificate that is no CA", problems.is_ca),
    Rule(
        "device-constraints-absent",
        DEVICE,
        "no BasicConstraints (tolerated: one known generator adds them)",
        problems.says_not_ca,
        severity=WARNING,
    ),
    Rule(
        "policies-critical",
        DEVICE | SELF_SIGNED,
        "critical ones",
        problems.not_critical(x509.CertificatePolicies, "CertificatePolicies"),
        clause="IEEE 2030.5-2018, 6.11.7.3",
    ),
    Rule(
        "policies-without-qualifiers",
        CAS | DEVICE | SELF_SIGNED,
        "object identifiers alone",
        problems.has_qualifiers,
        clause="IEEE 2030.5-2018, 6.11.7.3",
    ),
    Rule(
        "ca-any-policy",
        CAS,
        "anyPolicy (2.5.29.32.0)",
        problems.lacks_policy({oids.ANY_POLICY}, "any policy"),
    ),
    Rule(
        "device-type-policy",
        DEVICE,
        "1.3.6.1.4.1.40732.1.1 (generic), .1.2 (mobile) or .1.3 (post-manufacture)",
        problems.lacks_policy(oids.DEVICE_TYPES, "which device type this is"),
        clause="IEEE 2030.5-2018, 6.11.7.2",
    ),
    Rule(
        "aggregator-policy",
        AGGREGATOR,
        "1.3.6.1.4.1.40732.2.3 (commercial)",
        problems.lacks_policy({oids.COMMERCIAL}, "commercial"),
        clause="IEEE 2030.5-2018, 6.11.7.3",
        severity=WARNING,
    ),
    Rule(
        "self-signed-policy",
        SELF_SIGNED,
        "1.3.6.1.4.1.40732.2.2 (self-signed client)",
        problems.lacks_policy({oids.SELF_SIGNED_CLIENT}, "self-signed client"),
        clause="IEEE 2030.5-2018, 6.11.7.3",
    ),
    Rule(
        "no-name-constraints",
        ALL,
        "none, critical or not (COMM-004 E)",
        problems.present(frozenset({ExtensionOID.NAME_CONSTRAINTS}), "a name constraint"),
    ),
    Rule(
        "no-policy-mappings",
        ALL,
        "none, critical or not (COMM-004 F)",
        problems.present(frozenset({ExtensionOID.POLICY_MAPPINGS}), "a policy mapping"),
    ),
    Rule(
        "no-revocation",
        CAS | DEVICE | SELF_SIGNED,
        "no pointer to revocation lists or responders, since there is no revocation",
        problems.present(_REVOCATION, "a pointer to revocation information"),
        severity=WARNING,
    ),
    *(
        rule
        for kinds, expected in ((CAS, _OF_CA), (DEVICE | SELF_SIGNED, _OF_DEVICE), (SERVICES, _OF_SERVICE))
        for rule in (
            Rule(
                "no-critical-extension",
                kinds,
                "only those of the profile to be critical (COMM-004 D)",
                problems.unexpected(expected - _REVOCATION, critical=True),
            ),
            Rule(
                "no-other-extension",
                kinds,
                "only those of the profile",
                problems.unexpected(expected, critical=False),
                severity=WARNING,
            ),
        )
    ),
)
