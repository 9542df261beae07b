"""From events of OpenADR to resources of IEEE 2030.5: pure functions, by a table of rules. No IO."""

from openadr_ven.to_sep2.amounts import output_w
from openadr_ven.to_sep2.basis import (
    Basis,
    BasisError,
    bases_of,
    bases_table,
    next_renewal,
    renewed,
)
from openadr_ven.to_sep2.changing import Step, begun, changes, done, forgotten
from openadr_ven.to_sep2.fleet import Device, Envelope, Fleet, Kind, Live, Motion
from openadr_ven.to_sep2.judging import Judgement, judge, judge_of
from openadr_ven.to_sep2.lateness import late, next_late
from openadr_ven.to_sep2.preparing import usual_homes
from openadr_ven.to_sep2.programme import SIMPLE_LEVELS, LevelAction, PFSide, Programme, TargetMode, Thermal
from openadr_ven.to_sep2.publication import Default, Held, Home, HomeKind, Publication, Publications, Record
from openadr_ven.to_sep2.stored import HeldError, held_of, held_table
from openadr_ven.to_sep2.table import ROWS_3, ROWS_20B, Row
from openadr_ven.to_sep2.translating import translate
from openadr_ven.to_sep2.wishes import Goal, Note

__all__ = [
    "ROWS_3",
    "ROWS_20B",
    "SIMPLE_LEVELS",
    "Basis",
    "BasisError",
    "Default",
    "Device",
    "Envelope",
    "Fleet",
    "Goal",
    "Held",
    "HeldError",
    "Home",
    "HomeKind",
    "Judgement",
    "Kind",
    "LevelAction",
    "Live",
    "Motion",
    "Note",
    "PFSide",
    "Programme",
    "Publication",
    "Publications",
    "Record",
    "Row",
    "Step",
    "TargetMode",
    "Thermal",
    "bases_of",
    "bases_table",
    "begun",
    "changes",
    "done",
    "forgotten",
    "held_of",
    "held_table",
    "judge",
    "judge_of",
    "late",
    "next_late",
    "next_renewal",
    "output_w",
    "renewed",
    "translate",
    "usual_homes",
]
