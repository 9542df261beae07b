"""Operations on messaging: TextMessages to the devices of a group. IEEE 2030.5-2018, 10.6."""

from typing import Final

from sep2_server.operator.desk import Desk
from sep2_server.operator.happenings import group_events, program_for, publish, times_of, without_none
from sep2_server.operator.requests_events import PRIORITIES, SendMessage
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read

PROGRAM: Final = "MessagingProgram"
TEXTS: Final = "TextMessageList"
USUAL_LOCALE: Final = "en"


def send(desk: Desk, call: Call) -> Answer:
    """Send a TextMessage to a group; its program is made where the group has none."""
    asked, group = read(SendMessage, call.body), desk.group(call.names["group"])
    priority = asked.priority if isinstance(asked.priority, int) else PRIORITIES.index(asked.priority)
    body = without_none(
        {
            **times_of(asked),
            "originator": asked.originator,
            "priority": priority,
            "textMessage": asked.text,
        }
    )
    program = program_for(
        desk,
        group,
        PROGRAM,
        call.query.get("program"),
        primacy=asked.primacy,
        usual={"locale": USUAL_LOCALE},
        locale=asked.locale,
    )
    return {"group": group.name, "program": program.mrid, **publish(desk, program, TEXTS, body)}


def list_messages(desk: Desk, call: Call) -> Answer:
    """The TextMessages of a group, the latest first, with their status now."""
    return group_events(desk, call, PROGRAM, TEXTS)
