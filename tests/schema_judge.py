"""Judges every body that our servers send in the tests by the XML schema, apart from our own codec."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

import schemas
from schemas import SEP_NAMESPACE

XSD = Path(schemas.__file__).with_name("sep.xsd")


class SchemaJudge:
    """Counts the bodies that it has judged, and keeps what is wrong with any of them."""

    def __init__(self) -> None:
        self._schema = etree.XMLSchema(etree.parse(str(XSD)))
        self._judged: set[bytes] = set()
        self.count = 0
        self.flaws: list[str] = []

    def judge(self, body: bytes | None) -> None:
        """Validate one body; extension elements stand last in their type and are no matter of this schema."""
        if not body or body in self._judged:
            return
        self._judged.add(body)
        self.count += 1
        root = etree.fromstring(body)
        if not str(root.tag).startswith(f"{{{SEP_NAMESPACE}}}"):
            return
        for element in list(root.iter()):
            parent = element.getparent()
            if parent is not None and not str(element.tag).startswith(f"{{{SEP_NAMESPACE}}}"):
                parent.remove(element)
        if not self._schema.validate(root):
            self.flaws.append(f"{self._schema.error_log}: {body[:300]!r}")
