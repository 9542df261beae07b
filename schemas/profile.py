"""Profiles: which namespace a document has and which extensions stand in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.fields import REGISTRY, Field, wire_name

SEP_NAMESPACE = "urn:ieee:std:2030.5:ns"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """The standard, or the standard with extensions of one namespace.

    `extensions` are subclasses that stand in the place of the standard's classes; `additions` are new
    resources in the extension's namespace, by their element name.
    """

    name: str
    namespace: str = SEP_NAMESPACE
    extension_namespace: str = ""
    prefix: str = ""
    extensions: tuple[type, ...] = ()
    additions: dict[str, type] = field(default_factory=dict)

    def resolve(self, cls: type) -> type:
        """The class that stands for `cls` in this profile."""
        name = wire_name(cls)
        for extended in self.extensions:
            if wire_name(extended) == name:
                return extended
        return cls

    def tag(self, field_: Field) -> str:
        """Qualified name of a child element."""
        return f"{{{self.extension_namespace if field_.foreign else self.namespace}}}{field_.name}"

    def element_of(self, cls: type) -> str:
        """Qualified name of the document element of a class."""
        for name, added in self.additions.items():
            if added is cls:
                return f"{{{self.extension_namespace}}}{name}"
        return f"{{{self.namespace}}}{wire_name(cls)}"

    def class_of(self, tag: str) -> type | None:
        """Class of a document element by its qualified name, None where the profile has none."""
        space, _, name = tag[1:].partition("}")
        if self.extension_namespace and space == self.extension_namespace:
            return self.additions.get(name)
        found = REGISTRY.get(name) if space == self.namespace else None
        return None if found is None else self.resolve(found)


BASE = Profile(name="base")
"""IEEE 2030.5-2018 without extensions."""
