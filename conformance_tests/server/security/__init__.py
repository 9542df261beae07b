"""Certificates and TLS of a server: what it must take, and what it must refuse."""

from conformance_tests.server.security.cases import CASES

__all__ = ["CASES"]
