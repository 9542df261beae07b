"""The CSIP test procedures for DER clients and aggregators, one module for each group."""

from typing import Final

from conformance_tests.case import AnyCase
from conformance_tests.client.csip.aggregation import CASES as AGGREGATION
from conformance_tests.client.csip.assigned import CASES as ASSIGNED
from conformance_tests.client.csip.communication import CASES as COMMUNICATION
from conformance_tests.client.csip.controls import CASES as CONTROLS
from conformance_tests.client.csip.event_series import CASES as EVENT_SERIES
from conformance_tests.client.csip.function_cases import CASES as FUNCTIONS
from conformance_tests.client.csip.reports import CASES as REPORTS
from conformance_tests.client.csip.told import CASES as TOLD

CASES: Final[tuple[AnyCase, ...]] = tuple(
    sorted(
        (
            *AGGREGATION,
            *ASSIGNED,
            *COMMUNICATION,
            *CONTROLS,
            *EVENT_SERIES,
            *FUNCTIONS,
            *REPORTS,
            *TOLD,
        ),
        key=lambda case: case.id,
    )
)
"""Every case of this family, in the order of the procedures."""
