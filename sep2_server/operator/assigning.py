"""Operations that give a device its programs with one call, and change a program's primacy."""

from schemas import DERProgram
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk, require_bounds
from sep2_server.operator.errors import BadRequest
from sep2_server.operator.groups import program_told
from sep2_server.operator.requests import NAME, ChangeProgram, EnsureAssignment
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import put_item
from sep2_server.rows import Group, Row
from sep2_server.versions import next_version


def ensure(desk: Desk, call: Call) -> Answer:
    """Make sure that a device is in a group and has its program; what is missing is made."""
    asked = read(EnsureAssignment, {} if call.body is None else call.body)
    client = desk.client(call.names["device"])
    name = call.names["group"]
    group = desk.reader.group_named(name)
    created = group is None
    if group is None:
        if asked.primacy is None:
            raise BadRequest("primacy: missing", "give the primacy of the group's program, 0 to 255")
        require_bounds(name, NAME, "group")
        group = programs.add_group(desk, name)
        programs.add_program(desk, group, primacy=asked.primacy, description=asked.description)
    program = _only(desk, group, asked)
    change_program(desk, program, primacy=asked.primacy, description=asked.description)
    added = not programs.is_member(desk, group, client)
    if added:
        programs.assign(desk, group, client)
    return {
        "group": name,
        "device": client.name,
        "created": created,
        "added": added,
        "program": program_told(desk, desk.program(group, program.mrid)),
    }


def change(desk: Desk, call: Call) -> Answer:
    """Change primacy or description of a DERProgram; it moves in the lists that show it. CSIP MAINT-005."""
    asked = read(ChangeProgram, call.body)
    group = desk.group(call.names["group"])
    program = desk.program(group, call.names["program"])
    change_program(desk, program, primacy=asked.primacy, description=asked.description)
    return program_told(desk, desk.program(group, program.mrid))


def change_program(desk: Desk, row: Row, *, primacy: int | None, description: str | None) -> bool:
    """Store other values of a program; False where they are those that it has."""
    program = desk.resource(row, DERProgram)
    before = (program.primacy, program.description)
    program.primacy = program.primacy if primacy is None else primacy
    program.description = program.description if description is None else description
    if before == (program.primacy, program.description):
        return False
    program.version = next_version(program.version)
    put_item(desk, row, program)
    return True


def _only(desk: Desk, group: Group, asked: EnsureAssignment) -> Row:
    """The program of a group; where it has several, the one with the description that is asked for."""
    held = desk.programs(group)
    if not held:
        if asked.primacy is None:
            raise BadRequest("primacy: missing", "the group has no program; give the primacy of one")
        return programs.add_program(desk, group, primacy=asked.primacy, description=asked.description)
    return held[0] if len(held) == 1 else desk.program(group, asked.description)
