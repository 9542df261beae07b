"""Statements about who may connect and has answered what, and about the network as operators see it."""

from typing import Final

from sqlalchemy import delete, func, insert, literal_column, select, union_all

from sep2_server import tables as t
from sep2_server.rows import MEMBERS
from sep2_server.terms import NO_SKIP, param

BLOCKED: Final = select(t.blocked).order_by(t.blocked.c.lfdi)
IS_BLOCKED: Final = select(t.blocked).where(t.blocked.c.lfdi == param("lfdi"))
INSERT_BLOCKED: Final = insert(t.blocked)
DELETE_BLOCKED: Final = delete(t.blocked).where(t.blocked.c.lfdi == param("lfdi"))

DISABLED: Final = select(t.disabled.c.end_device_id).where(
    t.disabled.c.end_device_id == param("end_device_id")
)
BARRED: Final = union_all(
    select(t.blocked.c.lfdi, literal_column("0")).where(
        t.blocked.c.lfdi.in_([param("lfdi"), param("other_lfdi")])
    ),
    select(literal_column("''"), t.disabled.c.end_device_id).where(
        t.disabled.c.end_device_id.in_([param("end_device_id"), param("other_id")])
    ),
)
"""Of a client and who speaks for it: the LFDI of who is blocked, the EndDevice of who is disabled."""
INSERT_DISABLED: Final = insert(t.disabled)
DELETE_DISABLED: Final = delete(t.disabled).where(t.disabled.c.end_device_id == param("end_device_id"))

_REPORT: Final = t.report.c
COUNT_REPORTS: Final = (
    select(_REPORT.status, func.count()).where(_REPORT.subject == param("subject")).group_by(_REPORT.status)
)
REPORTS_OF_DEVICE: Final = (
    select(t.report)
    .where(_REPORT.end_device_id == param("end_device_id"), _REPORT.subject == param("subject"))
    .where(_REPORT.response_id > param("after_id"))
    .order_by(_REPORT.response_id)
    .limit(param("limit"))
    .offset(NO_SKIP)
)
DELETE_REPORTS_OF_DEVICE: Final = delete(t.report).where(t.report.c.end_device_id == param("end_device_id"))

NODE: Final = select(t.node).where(t.node.c.id == param("id"))
NODE_NAMED: Final = select(t.node).where(
    t.node.c.parent_id == param("parent_id"), t.node.c.name == param("name")
)
NODES_BELOW: Final = select(t.node).where(t.node.c.parent_id == param("parent_id")).order_by(t.node.c.name)
INSERT_NODE: Final = insert(t.node)
DELETE_NODE: Final = delete(t.node).where(t.node.c.id == param("id"))

COUNT_MEMBERS: Final = insert(t.tally).from_select(
    ["list_id", "scope", "amount"],
    select(t.assignment.c.group_id, literal_column(str(MEMBERS)), func.count()).group_by(
        t.assignment.c.group_id
    ),
)
"""How many devices each group has, counted once; from then on the number is kept."""
