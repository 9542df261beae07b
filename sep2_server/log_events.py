"""Log events of devices: the newest are kept, at least ten. IEEE 2030.5-2018, 10 (LogEvent)."""

from sep2_server.action import Action, add_item, keep_newest
from sep2_server.messages import Answer, created


def post_log_event(action: Action) -> Answer:
    """Keep a log event, and forget the oldest behind `log_events_kept`."""
    list_row = action.list_row()
    row = add_item(action, list_row, action.value)
    keep_newest(action, list_row, row.scope, action.environment.settings.log_events_kept)
    return created(row.href)
