"""Holds the declarations against facts of the schema: a facts file, or a schema file read by `xmlschema`.

`python -m schemas.check FILE` prints the differences; FILE is `.json` (facts) or `.xsd`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas import codes, codes_metering
from schemas.fields import REGISTRY, Field, Scalar, spec_of
from schemas.xsd import scalars

Facts = Mapping[str, Any]


def differences(facts: Facts) -> list[str]:
    """What the declarations and `facts` do not share; facts map type names to what they hold."""
    ours = declared_facts()
    found = [f"{name}: not declared" for name in facts if name not in ours]
    found += [f"{name}: not in the schema" for name in ours if name not in facts]
    for name in facts:
        if name in ours:
            found += _compare(name, ours[name], facts[name])
    return found


def declared_facts() -> dict[str, dict[str, Any]]:
    """The declarations in the form of a facts file."""
    described = {name: _of_scalar(scalar) for name, scalar in scalars().items()}
    described |= {name: _of_class(cls) for name, cls in REGISTRY.items()}
    return described


def code_differences(facts: Facts) -> list[str]:
    """Numbers of code tables that the enumerations and `facts` do not share."""
    found = []
    tables = {**vars(codes), **vars(codes_metering)}
    for name, fact in facts.items():
        numbers = {int(n) for n in fact.get("codes", {}) if n.isdigit()}
        if numbers and name in tables and numbers != {int(member) for member in tables[name]}:
            found.append(f"{name}: codes {sorted(numbers)}")
    return found


def _of_scalar(scalar: Scalar) -> dict[str, Any]:
    facets = {"minInclusive": scalar.low, "maxInclusive": scalar.high, "maxLength": scalar.max_length}
    kind = "complex" if scalar.wrapped else "simple"
    held = {name: str(value) for name, value in facets.items() if value is not None}
    return {"kind": kind, "base": scalar.base, "facets": held, "elements": [], "attributes": []}


def _of_class(cls: type) -> dict[str, Any]:
    base = cls.__mro__[1]
    own = [f for f in spec_of(cls) if f.owner is cls]
    return {
        "kind": "complex",
        "base": None if base is object else base.__name__,
        "facets": {},
        "elements": [_of_element(f) for f in own if not f.is_attribute],
        "attributes": [_of_attribute(f) for f in own if f.is_attribute],
    }


def _of_element(f: Field) -> dict[str, str]:
    most = "1" if not f.is_list else "unbounded" if f.at_most is None else str(f.at_most)
    return {"name": f.name, "type": f.type_name, "min": str(int(f.required)), "max": most}


def _of_attribute(f: Field) -> dict[str, str]:
    fact = {"name": f.name, "type": f.type_name, "use": "required" if f.required else "optional"}
    return fact if f.default is None else {**fact, "default": str(f.default)}


def _compare(name: str, ours: Facts, theirs: Facts) -> Iterator[str]:
    for key in ("kind", "base", "facets", "elements", "attributes"):
        held, wanted = ours.get(key), theirs.get(key)
        if held != wanted and (held or wanted):
            yield f"{name}.{key}: declared {held}, schema has {wanted}"


def main(arguments: list[str]) -> int:
    """Print the differences to a facts file or a schema file; 0 if there are none."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m schemas.check FACTS.json|SCHEMA.xsd\n")
        return 2
    path = Path(arguments[0])
    facts = _facts_of(path)
    found = differences(facts) + code_differences(facts)
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"{len(found)} differences in {len(facts)} types\n")
    return 1 if found else 0


def _facts_of(path: Path) -> Facts:
    if path.suffix == ".xsd":
        from schemas.xsd_facts import facts_of_xsd  # noqa: PLC0415 - needs `xmlschema`, which only checks have

        return facts_of_xsd(path)
    facts: Facts = json.loads(path.read_text())["types"]
    return facts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
