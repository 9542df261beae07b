"""The page `docs/devices.md`, written from the declarations: models, modes, permissions, quirks.

`python -m der_client.sunspec.reference > docs/devices.md`
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields

from der_client.sunspec.capabilities import CLAIMS, FIELD_OF_MODE, POINTS
from der_client.sunspec.curve_forms import FORMS, CurveForm
from der_client.sunspec.definitions import label_of
from der_client.sunspec.meter import METERS
from der_client.sunspec.permissions import CONTROLS, GRID_CODE, NEVER
from der_client.sunspec.polling import BATTERY, IDENTITY, OLDER_TELEMETRY, TELEMETRY
from der_client.sunspec.quirks import Quirk, QuirkFields, load_book
from der_client.sunspec.ratings import INVERTERS
from der_client.sunspec.unused_models import UNUSED

INTRODUCTION = """\
# Devices: models, modes, quirks

This page is written from the declarations (`python -m der_client.sunspec.reference`); a test keeps it so.

A device is scanned at the configured addresses (40000, 0 and 50000 unless told otherwise). Every model that
SunSpec defines is read; unknown ones are stepped over. A mode is executed by the newest model that has it,
and by the older series where a device lacks the newer one. What a device cannot do is reported as
unsupported and never offered to a server.
"""
PERMISSIONS = """\
Settings of the grid code are written only with `permissions.allow_grid_code_writes`; models of the older
series can be permitted one by one with `permissions.models`. Never written: ratings, and {never}.
"""
CURVES = """\
A control's rampTms (else setGradW) is stepped by the client, period by period. Model 123 makes the ramps of
its limit, power factor and reactive power itself where it has their `RmpTms`: it is told the goal and the
time that is left, anew each 5 s, and nothing is stepped besides. A limit is stepped there too where it ends
in none, stands for a target, or an interlock or the site bounds it on the way; `InOutWRte_RmpTms` of model
124 stays 0, because its targets are stepped.

Curves of models 705 to 712 are stored in a curve that may be written, read back, adopted, and compared with
the one that the device shows in force. A curve that is released is put back as it was found: the former
one, or disabled; also after a restart. Without the client a device reverts to the curve of the default
control, without a default to the one that was in force before, else to one that asks for nothing, where it
keeps a curve for that; else the curve stays, and the log says so once. Curves of models 126 to 142 are
written, selected and enabled; they revert by disabling themselves.

`opModFreqWatt` becomes a droop of model 711 where it is a dead band and one slope to no power; any other is
unsupported there.
"""
UNUSED_TITLE = """\
## Models that are recognised and not used

No mode of a server comes down to these models: a DERControl that would need one is reported as unsupported.
"""
QUIRKS = """\
What single makes do differently stands in `der_client/sunspec/quirks/inverters.yaml`. It takes the place of
settings that are at their default. A file of yours (`quirk_files`) has the same form, and its entries win:

```yaml
- name: our inverter knows single writes only
  match: {manufacturer: "Acme*", model: "X-*", version: "1.*"}
  source: trial on site, 2026-05
  fields: {write_one_by_one: true, max_block: 50}
```
"""


def page() -> str:
    """The whole page."""
    parts = (
        INTRODUCTION,
        "## Models\n",
        table(("model", "name", "read", "written"), _models()),
        PERMISSIONS.format(never=", ".join(sorted(NEVER))),
        UNUSED_TITLE,
        table(("model", "name", "why it is not used"), _unused()),
        "## Modes\n",
        table(("mode", "700-series", "older series", "702.CtrlModes", "permission"), _modes()),
        CURVES,
        "## Quirks\n",
        QUIRKS,
        table(("field", "values"), _fields()),
        table(("devices", "what is different", "fields", "source"), _quirks()),
    )
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _models() -> Iterator[Sequence[str]]:
    read = {*IDENTITY, *TELEMETRY, *OLDER_TELEMETRY, *INVERTERS, *METERS, *BATTERY, 713}
    for number in sorted({*read, *CONTROLS, *GRID_CODE}):
        uses = [name for name, holds in _uses(number, read) if holds]
        yield str(number), label_of(number), ", ".join(uses) or "to write", _written(number)


def _unused() -> Iterator[Sequence[str]]:
    for number, reason in UNUSED.items():
        yield str(number), label_of(number), reason


def _uses(number: int, read: set[int]) -> Iterator[tuple[str, bool]]:
    yield "site meter", number in METERS
    yield "identity and ratings", number in IDENTITY
    yield "each cycle", number in read - set(IDENTITY) - set(METERS)


def _written(number: int) -> str:
    parts = []
    if number in CONTROLS:
        names = CONTROLS[number]
        parts.append("yes" if names is None else ", ".join(sorted(names)))
    if number in GRID_CODE:
        names = GRID_CODE[number]
        text = "all" if names is None else ", ".join(sorted(names))
        parts.append(f"with permission: {text}")
    return "; ".join(parts) or "no"


def _modes() -> Iterator[Sequence[str]]:
    for mode, field in FIELD_OF_MODE.items():
        newer, older = ([_place(n, p) for n, p in POINTS[field] if (n > 700) is new] for new in (True, False))
        yield f"`{mode}`", _joined(newer), _joined(older), _bit(mode), "-"
    yield "`opModFreqDroop`", "711", "127 (over-frequency only)", _bit("opModFreqDroop"), "older series"
    for mode, forms in FORMS.items():
        newer, older = ([_curve(form) for form in forms if form.is_adopted is new] for new in (True, False))
        if mode == "opModFreqWatt":
            newer = ["711, as a droop"]
        guarded = any(form.is_adopted and form.model_id in GRID_CODE for form in forms)
        yield f"`{mode}`", _joined(newer), _joined(older), _bit(mode), "yes" if guarded else "older series"


def _place(number: int, points: Sequence[str]) -> str:
    return f"{number}.{points[0]}"


def _curve(form: CurveForm) -> str:
    return f"{form.model_id}.{form.part}" if form.part else str(form.model_id)


def _joined(places: Sequence[str]) -> str:
    return ", else ".join(places) or "-"


def _bit(mode: str) -> str:
    return str(CLAIMS[mode]) if mode in CLAIMS else "-"


def _fields() -> Iterator[Sequence[str]]:
    """Every field that an entry can have, with what it may say."""
    from der_client.sunspec.quirks.entry import CHOICES, RANGES  # noqa: PLC0415

    for field in fields(QuirkFields):
        values = "true, false"
        if field.name in CHOICES:
            values = ", ".join(f"`{choice}`" for choice in CHOICES[field.name])
        elif field.name in RANGES:
            low, high = RANGES[field.name]
            values = f"{low} to {high}"
        yield f"`{field.name}`", values


def _quirks() -> Iterator[Sequence[str]]:
    for quirk in load_book().quirks:
        yield _devices(quirk), quirk.name, _changes(quirk), quirk.source.replace("|", "\\|")


def _devices(quirk: Quirk) -> str:
    patterns = (quirk.manufacturer, quirk.model, quirk.version)
    return ", ".join(f"`{pattern}`" for pattern in patterns if pattern != "*")


def _changes(quirk: Quirk) -> str:
    said = {f.name: getattr(quirk.fields, f.name) for f in fields(QuirkFields)}
    return ", ".join(f"`{name}: {_text(value)}`" for name, value in said.items() if value is not None)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.stdout.write(page())
