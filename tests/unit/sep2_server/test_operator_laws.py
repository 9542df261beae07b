"""Laws of JSON and natural units, held for every value that the wire can carry."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from schemas import (
    ActivePower,
    DERControlBase,
    DERCurveLink,
    FixedVar,
    FreqDroopType,
    PowerFactorWithExcitation,
    ReactivePower,
    json_of,
)
from sep2_server.operator.curve_points import curve_data
from sep2_server.operator.model import natural_of, resource_of
from sep2_server.operator.quantities import amount, fixed_point, plain

INT16 = st.integers(-(2**15), 2**15 - 1)
UINT16 = st.integers(0, 2**16 - 1)
UINT32 = st.integers(0, 2**32 - 1)
MULTIPLIERS = st.integers(-9, 9)
SIGNED_PERCENT = st.integers(-10_000, 10_000)
FACTORS = st.builds(
    PowerFactorWithExcitation,
    displacement=st.integers(1, 1000),
    excitation=st.booleans(),
    multiplier=st.just(-3),
)
BASES = st.builds(
    DERControlBase,
    opModConnect=st.none() | st.booleans(),
    opModFixedPFInjectW=st.none() | FACTORS,
    opModFixedVar=st.none() | st.builds(FixedVar, refType=st.integers(1, 3), value=SIGNED_PERCENT),
    opModFixedW=st.none() | SIGNED_PERCENT,
    opModFreqDroop=st.none()
    | st.builds(FreqDroopType, dBOF=UINT32, dBUF=UINT32, kOF=UINT16, kUF=UINT16, openLoopTms=UINT16),
    opModMaxLimW=st.none() | st.integers(0, 10_000),
    opModTargetVar=st.none() | st.builds(ReactivePower, multiplier=MULTIPLIERS, value=INT16),
    opModTargetW=st.none() | st.builds(ActivePower, multiplier=MULTIPLIERS, value=INT16),
    opModVoltVar=st.none() | st.builds(DERCurveLink, href=st.just("/derp/1/dc/2")),
    rampTms=st.none() | UINT16,
)


@given(BASES)
def test_modes_in_wire_form_come_back_as_they_were(base: DERControlBase) -> None:
    assert resource_of(DERControlBase, json_of(base), "b") == base


@given(BASES)
def test_modes_in_natural_units_mean_the_same(base: DERControlBase) -> None:
    told = natural_of(base)
    assert natural_of(resource_of(DERControlBase, told, "b")) == told


@given(INT16, MULTIPLIERS)
def test_a_fixed_point_value_keeps_its_amount(value: int, multiplier: int) -> None:
    exact = Decimal(value).scaleb(multiplier)
    steps, power = fixed_point(exact, -(2**15), 2**15 - 1)
    assert Decimal(steps).scaleb(power) == exact


@given(st.decimals(-(10**12), 10**12, places=6))
def test_a_plain_amount_reads_back(value: Decimal) -> None:
    assert amount(f"{plain(value)} W", "W") == value


@given(
    st.lists(
        st.tuples(st.decimals(0, 200, places=2), st.decimals(-100, 100, places=2)), min_size=1, max_size=10
    )
)
def test_points_of_a_curve_come_back_as_they_were(points: list[tuple[Decimal, Decimal]]) -> None:
    given_points = [[plain(x), plain(y)] for x, y in points]
    made = curve_data(given_points)
    wire = [
        [Decimal(p["xvalue"]).scaleb(made["xMultiplier"]), Decimal(p["yvalue"]).scaleb(made["yMultiplier"])]
        for p in made["CurveData"]
    ]
    assert wire == [list(point) for point in points]
