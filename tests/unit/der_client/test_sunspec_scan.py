"""Discovery as a state machine: reads in, answers out, no bus."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from der_client.device import FaultKind
from der_client.sunspec.definitions import layout_of
from der_client.sunspec.model import DeviceMap
from der_client.sunspec.scan import MARKER, Adapt, Answer, Failure, Read, ScanSettings, blocks, scan

ILLEGAL = Failure(FaultKind.REFUSED, "exception 2", 2)
BUSY = Failure(FaultKind.REFUSED, "exception 6", 6)
BROKEN = Failure(FaultKind.REFUSED, "exception 4", 4)
SILENT = Failure(FaultKind.NO_ANSWER, "no answer")


class Bus:
    """Answers reads from registers, with what `answers` says instead at some addresses."""

    def __init__(self, words: Mapping[int, int], answers: Mapping[int, Failure] | None = None) -> None:
        self.words = words
        self.answers = answers or {}
        self.reads: list[Read] = []

    def answer(self, read: Read) -> Answer:
        self.reads.append(read)
        if read.address in self.answers:
            return self.answers[read.address]
        span = range(read.address, read.address + read.count)
        return tuple(self.words[a] for a in span) if all(a in self.words for a in span) else ILLEGAL

    def scan(
        self,
        settings: ScanSettings | None = None,
        wanted: frozenset[int] | None = None,
        adapt: Adapt | None = None,
    ) -> DeviceMap | Failure:
        steps = scan(settings or ScanSettings(), wanted, adapt)
        answer: Answer | None = None
        while True:
            try:
                read = next(steps) if answer is None else steps.send(answer)
                answer = self.answer(read)
            except StopIteration as done:
                result: DeviceMap | Failure = done.value
                return result


def chain(*models: tuple[int, int], base: int = 40000, end: tuple[int, ...] = (0xFFFF, 0)) -> dict[int, int]:
    """A map of empty models `(id, length)`."""
    words = list(MARKER)
    for model_id, length in models:
        words += [model_id, length, *([0] * length)]
    return {base + i: word for i, word in enumerate([*words, *end])}


def ids(found: DeviceMap | Failure) -> list[int]:
    assert isinstance(found, DeviceMap)
    return [model.model_id for model in found.models]


@pytest.mark.parametrize(
    "end",
    [(0xFFFF, 0), (0xFFFF, 66), (0, 0), (0, 5), ()],
    ids=["end model", "end model with a length", "zeros", "model 0", "refused address"],
)
def test_every_form_of_map_end_is_accepted(end: tuple[int, ...]) -> None:
    found = Bus(chain((1, 66), (713, 7), end=end)).scan()
    assert ids(found) == [1, 713]
    assert isinstance(found, DeviceMap)
    assert found.is_complete


@pytest.mark.parametrize("first", [ILLEGAL, SILENT, BUSY])
def test_next_base_is_tried_after_any_failure(first: Failure) -> None:
    found = Bus(chain((1, 66), base=0), {40000: first}).scan()
    assert isinstance(found, DeviceMap)
    assert found.base == 0


def test_next_base_is_tried_after_a_wrong_marker() -> None:
    bus = Bus({40000: 1, 40001: 2} | chain((1, 66), base=50000))
    assert ids(bus.scan()) == [1]
    assert [read.address for read in bus.reads[:3]] == [40000, 0, 50000]


def test_device_without_a_map_is_a_failure_that_says_why() -> None:
    found = Bus({40000: 1, 40001: 2}, {50000: SILENT}).scan()
    assert found == Failure(
        FaultKind.NO_ANSWER, "no SunSpec map at 40000: no SunS marker; 0: exception 2; 50000: no answer"
    )


def test_no_base_at_all_is_a_failure() -> None:
    assert Bus({}).scan(ScanSettings(bases=())) == Failure(FaultKind.NO_ANSWER, "no SunSpec map at ")


def test_undefined_model_is_stepped_over_without_reading_it() -> None:
    bus = Bus(chain((64999, 300), (713, 7)))
    assert ids(bus.scan()) == [64999, 713]
    assert max(read.count for read in bus.reads) == 9


def test_only_wanted_models_are_read() -> None:
    bus = Bus(chain((1, 66), (701, 153), (713, 7)))
    found = bus.scan(wanted=frozenset({713}))
    assert isinstance(found, DeviceMap)
    assert [len(model.words) for model in found.models] == [0, 0, 9]


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        (chain((1, 66), (64999, 2001)), "model 64999 at 40070: length 2001 is not possible"),
        (chain((64999, 66), base=65460, end=(64999, 80)), "model 64999 at 65530: length 80 is not possible"),
        (chain((64999, 72), base=65460, end=()), "the map runs over the address space"),
        (chain(*[(64999, 0)] * 300), "more than 256 models"),
    ],
)
def test_guard_ends_the_scan_and_keeps_what_was_read(words: dict[int, int], warning: str) -> None:
    found = Bus(words).scan(ScanSettings(bases=(min(words),)))
    assert isinstance(found, DeviceMap)
    assert found.warnings == (warning,)
    assert not found.is_complete
    assert found.models


def test_silence_within_the_walk_is_a_failure() -> None:
    assert Bus(chain((1, 66), (713, 7)), {40070: SILENT}).scan() == SILENT


def test_silence_within_a_model_is_a_failure() -> None:
    assert Bus(chain((701, 153)), {40125: SILENT}).scan() == SILENT


def test_refused_address_right_after_the_marker_is_a_failure() -> None:
    assert Bus(chain(end=())).scan(ScanSettings(bases=(40000,))) == ILLEGAL


@pytest.mark.parametrize("base", [-1, 65534, 70000])
def test_map_cannot_begin_outside_the_address_space(base: int) -> None:
    with pytest.raises(ValueError, match=f"bases: {base} is outside 0 to 65533"):
        ScanSettings(bases=(40000, base))


@pytest.mark.parametrize("failure", [ILLEGAL, BROKEN], ids=["2", "4"])
def test_model_that_answers_with_an_exception_is_kept_without_registers(failure: Failure) -> None:
    found = Bus(chain((701, 153), (713, 7)), {40125: failure}).scan()
    assert ids(found) == [701, 713]
    assert isinstance(found, DeviceMap)
    assert found.first(701) is None
    assert found.warnings == (f"model 701 at 40002: {failure.detail}",)


@pytest.mark.parametrize("code", [5, 6, 10, 11])
def test_model_that_is_not_shown_for_the_moment_is_a_failure(code: int) -> None:
    passing = Failure(FaultKind.REFUSED, f"exception {code}", code)
    assert Bus(chain((701, 153), (713, 7)), {40125: passing}).scan() == passing


def test_counts_of_a_long_curve_model_are_read_before_its_curves() -> None:
    words = chain((707, 141))
    words |= {40002 + 5: 7, 40002 + 6: 2}
    bus = Bus(words)
    found = bus.scan()
    assert isinstance(found, DeviceMap)
    assert found.models[0].point("Crv[1].MomCess.Pt[6].Tms") is not None
    assert [read.count for read in bus.reads if 40002 <= read.address < 40145] == [2, 9, 125, 9]


@pytest.mark.parametrize(
    ("max_block", "expected"),
    [
        (125, [(0, 123), (123, 155)]),
        (50, [(0, 48), (48, 98), (98, 123), (123, 155)]),
        (
            20,
            [(0, 19), (19, 39), (39, 56), (56, 75), (75, 94), (94, 114), (114, 123), (123, 143), (143, 155)],
        ),
    ],
)
def test_blocks_do_not_split_points(max_block: int, expected: list[tuple[int, int]]) -> None:
    assert list(blocks(0, 155, layout_of(701, 153), max_block)) == expected


def test_block_without_layout_is_cut_anywhere() -> None:
    assert list(blocks(0, 10, None, 4)) == [(0, 4), (4, 8), (8, 10)]


def test_point_longer_than_a_block_is_split() -> None:
    assert list(blocks(2, 18, layout_of(1, 66), 10)) == [(2, 12), (12, 18)]


def test_count_that_is_not_implemented_or_cut_off_is_no_count() -> None:
    words = chain((711, 32), (711, 2), (713, 7))
    words |= {40002 + 5: 0xFFFF}
    found = Bus(words).scan()
    assert isinstance(found, DeviceMap)
    assert [model.point("Ctl[1].ReadOnly") is not None for model in found.models] == [True, False, False]


def common(maker: str = "Acme") -> dict[int, int]:
    """A map with a common model that names its maker, and two models more."""
    words = chain((1, 66), (713, 7), (701, 153))
    letters = maker.encode().ljust(32, b"\0")
    return words | {40004 + i: int.from_bytes(letters[2 * i : 2 * i + 2]) for i in range(16)}


def test_scan_goes_on_with_the_settings_for_the_device_that_was_met() -> None:
    bus = Bus(common())
    seen: list[str] = []

    def adapt(settings: ScanSettings, identity: tuple[str, str, str, str]) -> ScanSettings:
        seen.append(identity[0])
        return replace(settings, max_block=50)

    found = bus.scan(adapt=adapt)
    assert isinstance(found, DeviceMap)
    assert (seen, found.max_block) == (["Acme"], 50)
    assert [read.count for read in bus.reads if read.address > 40070 and read.count > 2] == [48, 50, 25, 32]


@pytest.mark.parametrize(("map_end", "is_found"), [("exception", False), ("silence", True)])
def test_silence_at_the_end_of_a_map_is_an_end_where_the_device_is_known_for_it(
    map_end: str, is_found: bool
) -> None:
    words = chain((1, 66), (713, 7), end=())
    found = Bus(words, {40079: SILENT}).scan(ScanSettings(map_end=map_end))
    assert isinstance(found, DeviceMap) is is_found


def test_device_that_gives_fewer_registers_at_once_is_asked_for_fewer() -> None:
    class Narrow(Bus):
        def answer(self, read: Read) -> Answer:
            answer = super().answer(read)
            return Failure(FaultKind.REFUSED, "exception 3", 3) if read.count > 50 else answer

    bus = Narrow(common())
    found = bus.scan()
    assert isinstance(found, DeviceMap)
    assert ids(found) == [1, 713, 701]
    assert (found.max_block, found.models[2].words[1], found.warnings) == (34, 153, ())


@pytest.mark.parametrize("max_block", [1, 126])
def test_block_that_no_read_can_ask_for_is_refused(max_block: int) -> None:
    with pytest.raises(ValueError, match=f"max_block: {max_block} is outside 2 to 125"):
        ScanSettings(max_block=max_block)


def test_map_ends_in_one_of_two_ways() -> None:
    with pytest.raises(ValueError, match="map_end: 'noise' is neither exception nor silence"):
        ScanSettings(map_end="noise")


def test_group_that_must_be_read_at_once_is_not_split_over_two_reads() -> None:
    layout = layout_of(704, 65)
    assert [(low, high) for low, high in blocks(0, 67, layout, 60)] == [(0, 59), (59, 67)]
