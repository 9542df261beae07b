"""Errors of the 3.x wire.

V3Error
 +- FlawError         one object of a VTN cannot be read; its text says where and why
 +- UnreadableError   an answer as a whole is no JSON, or too large, or too deep
 +- WriteError        we are about to write what the standard does not allow: a bug here, never sent
 +- RefusedError      a VTN said no, and would say so again: 4xx
 +- AuthError         the token server gives us no token
 +- UnavailableError  a VTN cannot be reached, hangs, or asks us to come again later: tried again
"""


class V3Error(Exception):
    """What can go wrong between a VEN and a VTN of 3.x."""


class FlawError(V3Error):
    """One object cannot be read."""


class UnreadableError(V3Error):
    """An answer is no JSON within bounds."""


class WriteError(V3Error):
    """What is to be written breaks the standard."""


class RefusedError(V3Error):
    """A VTN refused a request. `status` is that of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text}")
        self.status = status


class AuthError(V3Error):
    """No token is to be had with what we are configured with."""


class UnavailableError(V3Error):
    """Try again later, at the earliest after `retry_after_s` where the VTN says so."""

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s
