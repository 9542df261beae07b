"""What the operator API does with load controls, tariffs, messages and flow reservations."""

from typing import Final

from sep2_server.operator import answers as a
from sep2_server.operator import answers_events as ae
from sep2_server.operator import cancelling, flows, happenings, load_controls, messages, tariffs
from sep2_server.operator import requests as r
from sep2_server.operator import requests_events as re
from sep2_server.operator.router import Operation

_STATE: Final = ("state",)
_PROGRAM: Final = ("program",)
_DEVICE: Final = ("device",)
_ANY: Final = (
    Operation(
        "POST",
        "/events/cancel",
        "cancel events",
        cancelling.cancel_events,
        body=re.CancelEvents,
        answer=a.Cancelled,
    ),
    Operation("GET", "/events/{event}", "show event", happenings.show, answer=ae.ShownEvent),
    Operation(
        "POST",
        "/events/{event}/cancel",
        "cancel event",
        happenings.cancel,
        body=r.CancelControl,
        answer=ae.ToldEvent,
    ),
    Operation(
        "GET",
        "/events/{event}/responses",
        "read responses",
        happenings.responses,
        query=("after", "limit"),
        answer=a.Responses,
    ),
)
_LOAD: Final = (
    Operation(
        "GET",
        "/groups/{group}/loadcontrols",
        "list load controls",
        load_controls.list_controls,
        query=_STATE,
        answer=ae.GroupEvents,
    ),
    Operation(
        "POST",
        "/groups/{group}/loadcontrols",
        "publish load control",
        load_controls.publish_control,
        query=_PROGRAM,
        body=re.PublishLoadControl,
        answer=ae.PublishedEvent,
    ),
)
_MESSAGES: Final = (
    Operation(
        "GET",
        "/groups/{group}/messages",
        "list messages",
        messages.list_messages,
        query=_STATE,
        answer=ae.GroupEvents,
    ),
    Operation(
        "POST",
        "/groups/{group}/messages",
        "send message",
        messages.send,
        query=_PROGRAM,
        body=re.SendMessage,
        answer=ae.PublishedEvent,
    ),
)
_TARIFFS: Final = (
    Operation(
        "GET",
        "/groups/{group}/tariffs",
        "list tariffs",
        tariffs.list_tariffs,
        query=_STATE,
        answer=ae.Tariffs,
    ),
    Operation(
        "POST",
        "/groups/{group}/tariffs",
        "add tariff",
        tariffs.add_tariff,
        body=re.AddTariff,
        answer=ae.MadeTariff,
    ),
    Operation(
        "DELETE",
        "/tariffs/{tariff}",
        "remove tariff",
        tariffs.remove_tariff,
        query=("force",),
        answer=a.Named,
    ),
    Operation(
        "POST",
        "/tariffs/{tariff}/components",
        "add rate component",
        tariffs.add_component,
        body=re.AddComponent,
        answer=ae.MadeComponent,
    ),
    Operation(
        "DELETE",
        "/components/{component}",
        "remove rate component",
        tariffs.remove_component,
        query=("force",),
        answer=a.Named,
    ),
    Operation(
        "POST",
        "/components/{component}/intervals",
        "publish prices",
        tariffs.add_interval,
        body=re.AddInterval,
        answer=ae.PublishedPrices,
    ),
    Operation(
        "POST",
        "/intervals/{interval}/blocks",
        "add price",
        tariffs.add_block,
        body=re.Block,
        answer=ae.AddedBlock,
    ),
)
_FLOWS: Final = (
    Operation(
        "GET",
        "/flows",
        "list flow requests",
        flows.list_flows,
        query=("device", "open", "after", "limit"),
        answer=ae.FlowRequests,
    ),
    Operation(
        "POST",
        "/flows/{request}/answer",
        "answer flow request",
        flows.answer,
        query=_DEVICE,
        body=re.AnswerFlow,
        answer=ae.AnsweredFlow,
    ),
)
EVENTS: Final[tuple[Operation, ...]] = (*_ANY, *_LOAD, *_MESSAGES, *_TARIFFS, *_FLOWS)
"""Operations on events of the function sets beside DER."""
