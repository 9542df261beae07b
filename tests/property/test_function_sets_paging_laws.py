"""Laws of pages and of the order of lists."""

from hypothesis import given
from hypothesis import strategies as st

from function_sets import ROUTES, ListQuery, after_bounds, page, sort_key
from schemas import CustomerAccount, DateTimeInterval, DERControl, DERControlBase, EventStatus

CONTROLS = ROUTES["DERControlList"]
ACCOUNTS = ROUTES["CustomerAccountList"]
TIMES = st.integers(-(2**40), 2**40)
MRIDS = st.integers(0, 2**128 - 1).map(lambda n: f"{n:032X}")
NAMES = st.none() | st.text(max_size=8)


def control(start: int, created: int, mrid: str) -> DERControl:
    return DERControl(
        mRID=mrid,
        creationTime=created,
        EventStatus_=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=start),
        DERControlBase_=DERControlBase(),
    )


@given(st.lists(st.integers()), st.integers(1, 7))
def test_pages_make_the_whole_list(items: list[int], limit: int) -> None:
    pages = [page(items, ListQuery(start, limit)) for start in range(0, len(items) + limit, limit)]
    assert [item for one in pages for item in one] == items


@given(st.lists(st.builds(control, TIMES | st.integers(0, 3), TIMES | st.integers(0, 3), MRIDS)))
def test_bytes_sort_controls_as_their_keys_do(items: list[DERControl]) -> None:
    by_bytes = sorted(items, key=lambda i: sort_key(CONTROLS, i))
    by_keys = sorted(items, key=lambda i: (i.interval.start, -i.creationTime, -int(i.mRID, 16)))
    assert by_bytes == by_keys


@given(st.lists(st.tuples(NAMES, MRIDS)))
def test_bytes_sort_text_by_its_octets_with_absent_first(items: list[tuple[str | None, str]]) -> None:
    accounts = [
        CustomerAccount(mRID=mrid, currency=840, customerName=name, pricePowerOfTenMultiplier=0)
        for name, mrid in items
    ]
    found = sorted(accounts, key=lambda a: sort_key(ACCOUNTS, a))
    wanted = sorted(
        accounts,
        key=lambda a: (a.customerName is not None, (a.customerName or "").encode(), -int(a.mRID, 16)),
    )
    assert found == wanted


@given(TIMES, TIMES)
def test_bound_of_a_divides_the_list_at_that_time(after: int, start: int) -> None:
    bounds = after_bounds(CONTROLS, after)
    assert bounds is not None
    assert (sort_key(CONTROLS, control(start, 0, "0A")) >= (bounds.low or b"")) == (start > after)
