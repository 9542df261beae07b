"""The neutral event model of OpenADR 2.0b, 3.0.1 and 3.1, and its state machine. Time is an argument."""

from openadr_ven.events.answer import Answer, Code, CreateOpt, OptReason, OptType, Refusal, Window
from openadr_ven.events.clockwork import advance
from openadr_ven.events.draws import Draw, uniform
from openadr_ven.events.enrolment import Enrolment, Resource
from openadr_ven.events.errors import EventError, OptError
from openadr_ven.events.event import (
    Event,
    EventStatus,
    Interval,
    Point,
    Profile,
    Randomization,
    Signal,
    Snapshot,
    Target,
    Value,
    is_test_event,
)
from openadr_ven.events.layout import span_s
from openadr_ven.events.opting import add_schedule, cancel_opt, opt_event, opt_resources, opts_of
from openadr_ven.events.plan import Dispatch, Plan, Rank
from openadr_ven.events.planning import plans_of
from openadr_ven.events.quantity import Scaled, Unit, descriptor_unit, item_unit
from openadr_ven.events.receiving import Judge, Ports, forget, receive
from openadr_ven.events.record import EventRecord, Phase, State
from openadr_ven.events.step import Change, ChangeKind, Step
from openadr_ven.events.stored import from_json, record_to_json, state_of_table, state_table, to_json
from openadr_ven.events.taking_part import participants
from openadr_ven.events.timing import status_at

__all__ = [
    "Answer",
    "Change",
    "ChangeKind",
    "Code",
    "CreateOpt",
    "Dispatch",
    "Draw",
    "Enrolment",
    "Event",
    "EventError",
    "EventRecord",
    "EventStatus",
    "Interval",
    "Judge",
    "OptError",
    "OptReason",
    "OptType",
    "Phase",
    "Plan",
    "Point",
    "Ports",
    "Profile",
    "Randomization",
    "Rank",
    "Refusal",
    "Resource",
    "Scaled",
    "Signal",
    "Snapshot",
    "State",
    "Step",
    "Target",
    "Unit",
    "Value",
    "Window",
    "add_schedule",
    "advance",
    "cancel_opt",
    "descriptor_unit",
    "forget",
    "from_json",
    "is_test_event",
    "item_unit",
    "opt_event",
    "opt_resources",
    "opts_of",
    "participants",
    "plans_of",
    "receive",
    "record_to_json",
    "span_s",
    "status_at",
    "state_of_table",
    "state_table",
    "to_json",
    "uniform",
]
