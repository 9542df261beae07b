"""From resources to text: one function per class, compiled from the declarations into straight-line code.

The source of a writer is made of names that the declarations hold, nothing else; `exec` turns it into a
function the way `dataclasses` makes `__init__`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from schemas.fields import Field, spec_of, wire_name

if TYPE_CHECKING:
    from schemas.profile import Profile

Append = Callable[[str], None]
WriteResource = Callable[[Append, object, str, str], None]

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def escape(text: str) -> str:
    """Text as it may stand between tags."""
    return text if text.isalnum() else text.translate(_TEXT)


def escape_attribute(text: str) -> str:
    """Text as it may stand between the quotes of an attribute."""
    return text if text.isalnum() else text.translate(_ESCAPES)


class Writers:
    """The compiled writers of one profile; a writer takes append, resource, tag, attributes to put first."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._compiled: dict[type, WriteResource] = {}

    def of(self, cls: type) -> WriteResource:
        """Writer of a class."""
        write = self._compiled.get(cls)
        if write is None:
            write = self._compiled[cls] = self._compile(cls)
        return write

    def write_as(self, append: Append, value: object, tag: str, declared: type) -> None:
        """Write a child whose declared type may be a base of its own: xsi:type tells which one it is."""
        actual = type(value)
        named = ""
        if actual is not declared and wire_name(actual) != wire_name(declared):
            xsi = "http://www.w3.org/2001/XMLSchema-instance"
            named = f' xmlns:xsi="{xsi}" xsi:type="{wire_name(actual)}"'
        write = self._compiled.get(actual) or self.of(actual)
        write(append, value, tag, named)

    def _compile(self, cls: type) -> WriteResource:
        fields = spec_of(cls)
        children = [f for f in fields if not f.is_attribute]
        names: dict[str, object] = {"_esc": escape, "_att": escape_attribute, "_as": self.write_as}
        lines = ["def write(a, o, tag, first):", "    a(f'<{tag}{first}')"]
        for f in fields:
            if f.is_attribute:
                lines += _guarded(f, f"a(f' {f.name}=\"{{{_text_of(f, '_att')}}}\"')")
        if not children:
            lines.append("    a('/>')")
        else:
            lines.append("    a('>')")
            for f in children:
                lines += self._child_lines(f, names)
            lines.append("    a(f'</{tag}>')")
        exec("\n".join(_merged(lines)), names)  # noqa: S102 - made of declared names only, see the module docstring
        return cast("WriteResource", names["write"])

    def _child_lines(self, f: Field, names: dict[str, object]) -> list[str]:
        tag = f"{self._profile.prefix}:{f.name}" if f.foreign else f.name
        if f.scalar:
            statement = f"a(f'<{tag}>{{{_text_of(f, '_esc')}}}</{tag}>')"
        else:
            names[f"_{f.name}"] = f.target
            statement = f"_as(a, v, '{tag}', _{f.name})"
        if f.is_list:
            return [f"    for v in o.{f.attr}:", f"        {statement}"]
        return _guarded(f, statement)


def _text_of(f: Field, escaping: str) -> str:
    """Expression for the text of the scalar `v`."""
    primitive = f.scalar.primitive if f.scalar else ""
    if primitive == "xs:boolean":
        return '"true" if v else "false"'
    if primitive in {"xs:string", "xs:anyURI"}:
        return f"{escaping}(v)"
    return "v"


def _guarded(f: Field, statement: str) -> list[str]:
    if f.required:
        return [f"    v = o.{f.attr}", f"    {statement}"]
    return [f"    if (v := o.{f.attr}) is not None:", f"        {statement}"]


def _merged(lines: list[str]) -> list[str]:
    """Inline the values of required scalars, so that a run of them becomes one string."""
    merged: list[str] = []
    for line in lines:
        value = merged[-1] if merged else ""
        if line.startswith("    a(f'") and value.startswith("    v = o.") and "if v else" not in line:
            merged[-1] = line.replace("{v}", "{" + value[8:] + "}").replace("(v)", "(" + value[8:] + ")")
        else:
            merged.append(line)
    return merged
