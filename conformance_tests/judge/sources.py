"""Where the schema comes from: a file of the user's, the packaged one, or facts of which it is rebuilt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lxml import etree

import schemas
from conformance_tests.errors import UsageError
from conformance_tests.judge.extensions import EXTENSIONS, extension_schema
from conformance_tests.judge.facts_schema import Codes, codes_of, schema_text
from conformance_tests.judge.grammar import XS, Grammar

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGED: Final = Path(schemas.__file__).with_name("sep.xsd")
_LINKED: Final = frozenset(f"{XS}{name}" for name in ("include", "import", "redefine"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One schema: compiled, and as read for explanations; with the same for the extensions that are known.

    `codes` are the numbers of the standard's tables, where the source has them. `name` tells what it is.
    """

    name: str
    namespace: str
    compiled: etree.XMLSchema
    grammar: Grammar
    codes: Codes = field(default_factory=dict)
    extensions: dict[str, Schema] = field(default_factory=dict)


@cache
def packaged() -> Schema:
    """The schema in this distribution."""
    return _with_extensions(_Shelf(PACKAGED.parent, PACKAGED.read_bytes()), PACKAGED.read_bytes(), "packaged")


def schema_of(path: Path | None) -> Schema:
    """The schema in a file: `.json` is a facts file, anything else an XSD; None is the packaged one.

    What an XSD includes, imports or redefines is looked for beside it; `sep.xsd` that is not there is the
    packaged one. Raises UsageError for a file that cannot be used.
    """
    if path is None:
        return packaged()
    try:
        data = path.read_bytes()
        return _from_facts(path, data) if path.suffix == ".json" else _from_xsd(path, data)
    except OSError as why:
        raise UsageError(f"--schema {path}: {why.strerror or why}; give an .xsd or a facts file") from None
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as why:
        raise UsageError(f"--schema {path}: no XML schema: {str(why)[:200]}") from None
    except (ValueError, LookupError, TypeError, AttributeError) as why:
        raise UsageError(f"--schema {path}: no facts file: {type(why).__name__} {str(why)[:200]}") from None


class _Shelf(etree.Resolver):
    """The schema documents that one links to: beside it, the base schema, or the packaged one."""

    def __init__(self, folder: Path, base: bytes) -> None:
        self._folder = folder
        self.base = base

    def resolve(self, system_url: str, public_id: str, context: object = None) -> object:
        """The document of a name, for libxml2; others than those of the shelf are empty."""
        del public_id
        name = Path(system_url).name
        return self.resolve_string(self.text(name), context, base_url=str(self._folder / name))

    def text(self, name: str) -> bytes:
        """The document of a name."""
        beside = self._folder / name
        if beside.is_file() and name != PACKAGED.name:
            return beside.read_bytes()
        return self.base if name == PACKAGED.name else b""


def _from_facts(path: Path, data: bytes) -> Schema:
    facts = json.loads(data)
    text = schema_text(facts["types"], facts["_about"]["namespace"])
    return _with_extensions(_Shelf(path.parent, text), text, path.name, codes_of(facts["types"]))


def _from_xsd(path: Path, data: bytes) -> Schema:
    beside = path.with_name(PACKAGED.name)
    base = beside if beside.is_file() else PACKAGED
    shelf = _Shelf(path.parent, data if path.name == PACKAGED.name else base.read_bytes())
    return _with_extensions(shelf, data, path.name)


def _with_extensions(shelf: _Shelf, text: bytes, name: str, codes: Codes | None = None) -> Schema:
    made = _compiled(shelf, text, name)
    base = made.get("targetNamespace", "")
    grammar = _grammar(shelf, made)
    known = {}
    for space in EXTENSIONS:
        if space not in grammar.namespaces and f"{{{base}}}ActivePower" in grammar.forms:
            own = _compiled(_Shelf(Path(), shelf.base), extension_schema(space, base), space)
            known[space] = Schema(
                name=space, namespace=space, compiled=etree.XMLSchema(own), grammar=_joined(own, grammar)
            )
    return Schema(
        name=name,
        namespace=base,
        compiled=etree.XMLSchema(made),
        grammar=grammar,
        codes=codes or {},
        extensions=known,
    )


def _compiled(shelf: _Shelf, text: bytes, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    parser.resolvers.add(shelf)
    return etree.fromstring(text, parser, base_url=str(shelf._folder / name))  # noqa: SLF001


def _grammar(shelf: _Shelf, root: etree._Element) -> Grammar:
    grammar = Grammar()
    for one in _documents(shelf, root, set()):
        grammar.read(one)
    return grammar


def _documents(shelf: _Shelf, root: etree._Element, seen: set[str]) -> Iterator[etree._Element]:
    """A schema document behind all that it links to."""
    for link in root:
        name = Path(link.get("schemaLocation", "")).name
        if link.tag in _LINKED and name and name not in seen:
            seen.add(name)
            yield from _documents(shelf, _compiled(shelf, shelf.text(name), name), seen)
    yield root


def _joined(own: etree._Element, base: Grammar) -> Grammar:
    grammar = Grammar()
    grammar.forms |= base.forms
    grammar.elements |= base.elements
    grammar.namespaces |= base.namespaces
    grammar.read(own)
    return grammar
