"""Operations on billing: accounts of customers, agreements, periods and the readings of bills.

IEEE 2030.5-2018, 10.7. What the operator makes is read by the devices of the account's groups alone.
"""

from collections.abc import Mapping
from typing import Any, Final

from schemas import (
    BillingPeriod,
    BillingReading,
    BillingReadingSet,
    CustomerAccount,
    CustomerAgreement,
    DateTimeInterval,
    HistoricalReading,
    Json,
    PrepaymentLink,
    ProjectionReading,
    ReadingType,
    ServiceSupplier,
    TargetReading,
    TariffProfileLink,
    UsagePointLink,
    json_of,
)
from sep2_server.operator import programs
from sep2_server.operator.desk import Desk, is_mrid
from sep2_server.operator.errors import BadRequest, NotFound
from sep2_server.operator.metering import USAGE_POINT, WHICH_POINT
from sep2_server.operator.model import resource_of
from sep2_server.operator.requests_billing import AddAccount, AddAgreement, AddBillReadings, AddPeriod
from sep2_server.operator.router import Answer, Call
from sep2_server.operator.shape import read
from sep2_server.operator.tree import Plan, insert_in, insert_item
from sep2_server.rows import Row
from sep2_server.tree import remove_tree

KIND: Final = "CustomerAccount"
AGREEMENT: Final = "CustomerAgreement"
SETS: Final = "BillingReadingSet"
LIST_THEM: Final = "lineside op bill list GROUP"
MOST_READINGS: Final = 10_000
READINGS: Final[Mapping[str, type[HistoricalReading | ProjectionReading | TargetReading]]] = {
    "historical": HistoricalReading,
    "projection": ProjectionReading,
    "target": TargetReading,
}


def add_account(desk: Desk, call: Call) -> Answer:
    """Open the account of a customer for the devices of a group, with its supplier."""
    asked, group = read(AddAccount, call.body), desk.group(call.names["group"])
    account = CustomerAccount(
        mRID=desk.new_mrid(),
        description=asked.description,
        version=0,
        currency=asked.currency,
        customerAccount=asked.customer_account,
        customerName=asked.customer_name,
        pricePowerOfTenMultiplier=asked.power_of_ten,
    )
    below = {}
    if asked.supplier is not None:
        given = {"mRID": desk.new_mrid(), "version": 0, **asked.supplier}
        below["ServiceSupplier"] = [Plan(value=resource_of(ServiceSupplier, given, "ServiceSupplier"))]
    row = insert_item(desk, programs.root_list(desk, KIND), Plan(value=account, below=below))
    programs.show(desk, group, row)
    return _told(desk, row, CustomerAccount)


def list_accounts(desk: Desk, call: Call) -> Answer:
    """The accounts of a group with their agreements."""
    group = desk.group(call.names["group"])
    rows = desk.programs_of(group, f"Group{KIND}List")
    told: list[Json] = []
    for row in rows:
        agreements = desk.items(row, f"{AGREEMENT}List")
        told.append(
            {
                **_told(desk, row, CustomerAccount),
                AGREEMENT: [_told(desk, one, CustomerAgreement) for one in agreements],
            }
        )
    return {"group": group.name, "accounts": told}


def remove_account(desk: Desk, call: Call) -> Answer:
    """Remove an account with all that was billed."""
    row = desk.of_mrid(call.names["account"], KIND, LIST_THEM)
    for group in programs.groups_of(desk, row):
        programs.hide(desk, group, row)
    remove_tree(desk.transaction, desk.environment.uris, row)
    return {"name": call.names["account"]}


def add_agreement(desk: Desk, call: Call) -> Answer:
    """Add an agreement for one service to an account."""
    asked, account = read(AddAgreement, call.body), desk.of_mrid(call.names["account"], KIND, LIST_THEM)

    def href(mrid: str | None, kind: str) -> str | None:
        return None if mrid is None else desk.of_mrid(mrid, kind, f"the {kind}List of the device").href

    point = None if asked.usage_point is None else _point(desk, asked.usage_point, asked.device).href
    tariff, prepayment = href(asked.tariff, "TariffProfile"), href(asked.prepayment, "Prepayment")
    agreement = CustomerAgreement(
        mRID=desk.new_mrid(),
        description=asked.description,
        version=0,
        PrepaymentLink_=PrepaymentLink(href=prepayment) if prepayment else None,
        serviceAccount=asked.service_account,
        serviceLocation=asked.service_location,
        TariffProfileLink_=TariffProfileLink(href=tariff) if tariff else None,
        UsagePointLink_=UsagePointLink(href=point) if point else None,
    )
    return _told(desk, insert_in(desk, account, f"{AGREEMENT}List", agreement), CustomerAgreement)


def _point(desk: Desk, mrid: str, device: str | None) -> Row:
    """The UsagePoint with an mRID; where several devices have used it, that of the one which is named."""
    rows = desk.all_by_mrid(mrid) if is_mrid(mrid) else []
    only = None if device is None else desk.client(device).end_device_id
    found = [row for row in rows if row.kind == USAGE_POINT and only in {None, row.owner_id}]
    if not found:
        raise NotFound(f"no {USAGE_POINT} has the mRID {mrid[:40]!r}", WHICH_POINT)
    if len(found) > 1:
        names = [client.name for row in found if (client := desk.reader.client_of(row.owner_id or 0))]
        raise BadRequest("device: several devices have used this mRID", f"allowed: {', '.join(names)}")
    return found[0]


def add_period(desk: Desk, call: Call) -> Answer:
    """Add the period of one bill to an agreement."""
    asked, row = read(AddPeriod, call.body), desk.of_mrid(call.names["agreement"], AGREEMENT, LIST_THEM)
    period = BillingPeriod(
        billLastPeriod=asked.last,
        billToDate=asked.to_date,
        interval=DateTimeInterval(start=asked.start, duration=asked.duration),
        statusTimeStamp=desk.now,
    )
    stored = insert_in(desk, row, "BillingPeriodList", period)
    return {"href": stored.href, "BillingPeriod": json_of(desk.resource(stored, BillingPeriod))}


def add_readings(desk: Desk, call: Call) -> Answer:
    """Add readings to an agreement: past ones, expected ones, or those that a customer aims at."""
    asked, row = read(AddBillReadings, call.body), desk.of_mrid(call.names["agreement"], AGREEMENT, LIST_THEM)
    readings = _readings(asked.readings)
    cls = READINGS[asked.kind]
    kind = resource_of(ReadingType, asked.reading_type or {}, "ReadingType")
    value = cls(mRID=desk.new_mrid(), description=asked.description, version=0)
    plan = Plan(value=value, below={"ReadingType": [Plan(value=kind)]})
    reading = insert_item(desk, desk.listed(row, f"{cls.__name__}List"), plan)
    _add_set(desk, reading, readings, asked.description)
    return {**_told(desk, reading, cls), "readings": len(readings)}


def _readings(given: list[dict[str, Any]]) -> list[BillingReading]:
    if not 0 < len(given) <= MOST_READINGS:
        raise BadRequest(f"BillingReading: {len(given)} of them", f"allowed: 1 to {MOST_READINGS}")
    made = [resource_of(BillingReading, one, f"BillingReading[{n}]") for n, one in enumerate(given)]
    for number, one in enumerate(made):
        if one.timePeriod is None:
            raise BadRequest(f"BillingReading[{number}].timePeriod: missing", "give {start, duration}")
    return made


def _add_set(desk: Desk, reading: Row, readings: list[BillingReading], description: str | None) -> None:
    """Store readings as one set among all sets, in the scope of the account; their reading shows it."""
    spans = [one.timePeriod for one in readings if one.timePeriod is not None]
    start = min(span.start for span in spans)
    end = max(span.start + span.duration for span in spans)
    value = BillingReadingSet(
        mRID=desk.new_mrid(),
        description=description,
        version=0,
        timePeriod=DateTimeInterval(start=start, duration=end - start),
    )
    plan = Plan(value=value, below={"BillingReadingList": [Plan(value=one) for one in readings]})
    root = programs.root_list(desk, SETS)._replace(owner_id=reading.owner_id)
    row = insert_item(desk, root, plan)
    desk.transaction.add_member(desk.listed(reading, f"{reading.kind}SetList").id, row)


def _told(desk: Desk, row: Row, cls: type) -> dict[str, Json]:
    held = json_of(desk.resource(row, cls))
    return {"mRID": held.get("mRID"), "href": row.href, cls.__name__: held}
