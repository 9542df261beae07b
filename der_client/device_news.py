"""What came and what went between two views of a device, in words. Pure."""

from collections.abc import Iterator

from der_client.client_event import What
from der_client.device_view import DeviceView


def news_of(before: DeviceView, after: DeviceView) -> Iterator[tuple[What, str, bool]]:
    """What happened, in words, and whether it is bad: interlocks, what is not held, what an operator does."""
    name = after.name
    former = {(reason.interlock, reason.name) for reason in before.reasons}
    present = {(reason.interlock, reason.name) for reason in after.reasons}
    for number, what in sorted(present - former):
        yield What.INTERLOCK, f"interlock {number}: {what}", True
    for number, what in sorted(former - present):
        yield What.INTERLOCK, f"interlock {number} cleared: {what}", False
    for field in sorted(after.failed.keys() - before.failed.keys()):
        yield What.FAULT, f"{name} does not hold {field}: {after.failed[field].detail}", True
    for field in sorted(before.failed.keys() - after.failed.keys()):
        yield What.RECOVERED, f"{name} holds {field} again", False
    for field in sorted(after.refused - before.refused):
        yield What.FAULT, f"{name} has no permission for grid code settings: {field}", True
    if before.override != after.override:
        text = "override ended" if after.override is None else f"override: {after.override.text()}"
        yield What.OVERRIDE, f"{name} {text}", after.override is not None
