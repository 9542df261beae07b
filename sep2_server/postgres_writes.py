"""Writes that PostgreSQL does in one statement: a trip each would cost more than what they do.

All parts of a statement see the database as it was before it; none touches a row of another. Rows that are
changed or removed are named one by one, so that they are found by an index whatever the planner knows of
the tables; where they are more than `FEW`, many clients share the commit and trips are cheap.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Table,
    bindparam,
    delete,
    func,
    insert,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.sql.selectable import TableValuedAlias

from sep2_server import tables as t
from sep2_server.connection import Writes, Written
from sep2_server.rows import Change

FEW: Final = 4
_REPORT_KEY: Final = ("end_device_id", "subject", "status")
_TALLY: Final = ("list_id", "scope", "amount")


class Part(NamedTuple):
    """What one part of a statement does, with which table, and the columns that it names."""

    kind: str
    table: str
    names: tuple[str, ...]


Shape = tuple[Part, ...]


def parts_of(writes: Writes) -> tuple[Shape, dict[str, object]] | None:
    """The parts of a statement and its parameters; None where one statement after the other is as good."""
    changed = sum(map(len, writes.updates.values())) + len(writes.reports_gone)
    pairs = list(_pairs(writes))
    if len(pairs) < 2 or changed > FEW:
        return None
    values = {f"p{number}c{n}": value for number, pair in enumerate(pairs) for n, value in enumerate(pair[1])}
    return tuple(part for part, _ in pairs), values


def _pairs(writes: Writes) -> Iterator[tuple[Part, Sequence[object]]]:
    """Each part and the values of its columns: arrays where it may have many rows."""
    for table, names, rows in writes.inserts:
        yield Part("insert", table.name, names), _columns(rows)
    for columns, updates in writes.updates.items():
        names = tuple(sorted(columns))
        for row in updates:
            yield Part("update", "resource", names), [row["row_id"], *(row[f"new_{name}"] for name in names)]
    for key in writes.reports_gone:
        yield Part("delete", "report", _REPORT_KEY), [key[name] for name in _REPORT_KEY]
    if writes.moves:
        yield Part("count", "tally", _TALLY), _columns([(*place, by) for place, by in writes.moves])
    if writes.changes:
        rows = [change[1:] for change in writes.changes]
        yield Part("number", "change", Change._fields[1:]), _columns(rows)


def _columns(rows: Sequence[Sequence[object]]) -> list[object]:
    return [list(column) for column in zip(*rows, strict=True)]


@cache
def statement_of(shape: Shape) -> ClauseElement:
    """The statement that does all parts; `written` reads what it gives.

    The lists that were counted, with their new amounts, and the places of changes with no list.
    """
    parts = [(part.kind, _part(number, part).cte(f"p{number}")) for number, part in enumerate(shape)]
    given = [select(*cte.c) for kind, cte in parts if kind == "count"]
    given += [select(null(), null(), cte.c.seq) for kind, cte in parts if kind == "number"]
    others = [cte for kind, cte in parts if kind not in {"count", "number"}]
    found = union_all(*given) if given else select(true()).where(~true())
    return found.add_cte(*others)


def written(rows: Sequence[tuple[int | None, int | None, int]]) -> Written:
    """What a statement of these has done."""
    amounts = [(list_id, scope or 0, amount) for list_id, scope, amount in rows if list_id is not None]
    return Written(amounts, [place for list_id, _, place in rows if list_id is None])


def _part(number: int, part: Part) -> Any:  # noqa: ANN401
    table = t.metadata.tables[part.table]
    if part.kind == "update":
        row_id, *values = (_value(number, n, table, name) for n, name in enumerate(("id", *part.names)))
        return update(table).where(table.c.id == row_id).values(dict(zip(part.names, values, strict=True)))
    if part.kind == "delete":
        same = (table.c[name] == _value(number, n, table, name) for n, name in enumerate(part.names))
        return delete(table).where(*same)
    rows = select(*_given(number, table, part.names).c)
    if part.kind in {"insert", "number"}:
        put = insert(table).from_select(list(part.names), rows, include_defaults=False)
        return put.returning(table.c.seq) if part.kind == "number" else put
    here = postgresql.insert(table).from_select(list(part.names), rows, include_defaults=False)
    added = here.on_conflict_do_update(
        index_elements=["list_id", "scope"], set_={"amount": table.c.amount + here.excluded.amount}
    )
    return added.returning(table.c.list_id, table.c.scope, table.c.amount)


def _value(number: int, n: int, table: Table, name: str) -> BindParameter[Any]:
    return bindparam(f"p{number}c{n}", type_=table.c[name].type)


def _given(number: int, table: Table, names: tuple[str, ...]) -> TableValuedAlias:
    """The rows of a part, out of its arrays."""
    arrays: list[BindParameter[Any]] = [
        bindparam(f"p{number}c{n}", type_=ARRAY(table.c[name].type)) for n, name in enumerate(names)
    ]
    return func.unnest(*arrays).table_valued(*names).render_derived()
