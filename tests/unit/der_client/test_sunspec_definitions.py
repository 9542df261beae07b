"""Model definitions compiled to flat points."""

import json
from pathlib import Path

import pytest

from der_client.sunspec.definitions import count_points, fixed_size, is_defined, layout_of, length_of

FIXED_LENGTHS = {
    1: 66,
    101: 50,
    103: 50,
    113: 60,
    120: 26,
    121: 30,
    122: 44,
    123: 24,
    124: 24,
    127: 10,
    204: 105,
    214: 124,
    701: 153,
    702: 50,
    703: 17,
    704: 65,
    713: 7,
    715: 7,
    802: 62,
}


@pytest.mark.parametrize(("model_id", "length"), FIXED_LENGTHS.items())
def test_length_of_a_fixed_model(model_id: int, length: int) -> None:
    assert length_of(model_id) == length


@pytest.mark.parametrize(
    ("model_id", "counts", "length"),
    [
        (705, {"NPt": 4, "NCrv": 3}, 67),
        (706, {"NPt": 2, "NCrv": 3}, 40),
        (707, {"NPt": 7, "NCrvSet": 2}, 141),
        (709, {"NPt": 5, "NCrvSet": 2}, 135),
        (711, {"NCtl": 3}, 42),
        (712, {"NPt": 6, "NCrv": 3}, 60),
        (714, {"NPrt": 1}, 43),
        (803, {"NStr": 2}, 90),
    ],
)
def test_length_of_a_model_with_counts(model_id: int, counts: dict[str, int], length: int) -> None:
    assert length_of(model_id, counts) == length


def test_length_of_an_undefined_model_is_an_error() -> None:
    with pytest.raises(KeyError, match="64999"):
        length_of(64999)


def test_undefined_model_has_no_layout() -> None:
    assert layout_of(64999, 10) is None
    assert not is_defined(64999)
    assert count_points(64999) == ()
    assert fixed_size(64999) == 0


@pytest.mark.parametrize(
    ("name", "offset", "size"),
    [
        ("WMaxLimPctEna", 14, 1),
        ("WMaxLimPctRvrtTms", 18, 2),
        ("WSet", 24, 2),
        ("WSetRvrtRem", 33, 2),
        ("VarSetPctRvrt", 43, 1),
        ("WRmp", 49, 1),
        ("PFWInj.PF", 59, 1),
        ("PFWAbsRvrt.Ext", 66, 1),
    ],
)
def test_points_of_model_704_stand_where_the_specification_says(name: str, offset: int, size: int) -> None:
    layout = layout_of(704, 65)
    assert layout is not None
    point = layout.by_name[name]
    assert (point.offset, point.size, point.writable) == (offset, size, not name.endswith("Rem"))


def test_power_factor_group_is_atomic() -> None:
    layout = layout_of(704, 65)
    assert layout is not None
    assert [point.name for point in layout.points if point.sync == "PFWInj"] == ["PFWInj.PF", "PFWInj.Ext"]


def test_scale_factor_of_a_nested_point_is_found_in_the_model() -> None:
    layout = layout_of(705, 67, {"NPt": 4, "NCrv": 3})
    assert layout is not None
    assert layout.by_name["Crv[2].Pt[3].Var"].scale == "DeptRef_SF"
    assert layout.by_name["Crv[2].Pt[3].Var"].end == layout.end


def test_repeat_count_comes_from_the_length_where_the_definition_has_none() -> None:
    layout = layout_of(160, 48)
    assert layout is not None
    assert layout.points[-1].name == "module[1].DCEvt"
    assert layout.warnings == ()


def test_remainder_of_a_repeating_group_is_a_warning() -> None:
    layout = layout_of(160, 50)
    assert layout is not None
    assert layout.warnings == ("model 160: 2 registers left over after 2 x module",)


def test_count_point_that_contradicts_the_length_yields_to_it() -> None:
    layout = layout_of(711, 22, {"NCtl": 3})
    assert layout is not None
    assert layout.points[-1].name == "Ctl[0].ReadOnly"
    assert layout.warnings == ("model 711: NCtl says 3 x Ctl, the length holds 1",)


def test_count_point_that_is_not_implemented_leaves_the_number_to_the_length() -> None:
    layout = layout_of(711, 32)
    assert layout is not None
    assert layout.points[-1].name == "Ctl[1].ReadOnly"


def test_longer_model_keeps_its_tail_without_points() -> None:
    layout = layout_of(713, 10)
    assert layout is not None
    assert (layout.points[-1].end, layout.end) == (9, 12)


def test_missing_padding_is_no_warning() -> None:
    layout = layout_of(1, 65)
    assert layout is not None
    assert layout.warnings == ()


def test_fixed_power_of_ten_of_a_point_is_kept() -> None:
    layout = layout_of(302, 5)
    assert layout is not None
    fixed = [point.scale for point in layout.points if isinstance(point.scale, int)]
    assert all(scale in {-7, -3, -2, -1, 1} for scale in fixed)


def test_every_installed_definition_compiles(vectors: Path) -> None:
    folder = vectors / "devices" / "sunspec_models"
    numbers = [json.loads(path.read_text())["id"] for path in folder.glob("model_*.json")]
    compiled = [layout_of(number, length_of(number)) for number in numbers if is_defined(number)]
    assert len(compiled) == len(numbers) == 112
    assert [layout.model_id for layout in compiled if layout and not layout.points] == []
