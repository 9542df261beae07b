"""A dump of all registers for a report of a bug."""

from collections.abc import Callable

import pytest

from der_client.device import FaultKind
from der_client.sunspec.dump import Dump, dump_steps, image_text, without_serial
from der_client.sunspec.scan import Answer, Failure, Read, ScanSettings
from der_client.sunspec.simulator import InverterSettings, ReplayStore, parse_image
from der_client.sunspec.simulator.bank import IllegalRequestError
from der_client.sunspec.simulator.image import build_bank

REFUSED = Failure(FaultKind.REFUSED, "exception 2", 2)
BUSY = Failure(FaultKind.REFUSED, "exception 6", 6)
SILENT = Failure(FaultKind.NO_ANSWER, "no answer")
SMALL = {
    40000: 0x5375,
    40001: 0x6E53,
    40002: 64999,
    40003: 3,
    40004: 1,
    40005: 2,
    40006: 3,
    40007: 0xFFFF,
    40008: 0,
}


def inverter() -> dict[int, int]:
    """All registers of a simulated inverter."""
    bank = build_bank(InverterSettings())
    end = max(model.end for model in bank.models.values()) + 2
    return dict(enumerate(bank.read(40000, end - 40000), 40000))


def dumped(
    words: dict[int, int],
    settings: ScanSettings | None = None,
    fails: Callable[[Read], Failure | None] = lambda _: None,
) -> tuple[Dump | Failure, list[Read]]:
    """What a dump of these registers finds, and the reads that it made."""
    store, reads = ReplayStore(words), []
    steps = dump_steps(settings or ScanSettings())

    def answer(read: Read) -> Answer:
        reads.append(read)
        failure = fails(read)
        if failure:
            return failure
        try:
            return tuple(store.read(read.address, read.count))
        except IllegalRequestError:
            return REFUSED

    try:
        read = next(steps)
        while True:
            read = steps.send(answer(read))
    except StopIteration as done:
        result: Dump | Failure = done.value
    return result, reads


def whole(words: dict[int, int]) -> Dump:
    """The dump of a device that gave all that it has."""
    return Dump(registers=dict(words))


def test_dump_holds_every_register_up_to_the_end_of_the_map() -> None:
    assert dumped(inverter())[0] == whole(inverter())


def test_dump_shows_models_that_nobody_has_defined() -> None:
    assert dumped(SMALL)[0] == whole(SMALL)


def test_dump_is_text_that_can_be_served_again() -> None:
    text = image_text(inverter())
    assert parse_image(text) == inverter()
    assert text.startswith("# SunSpec map at 40000: models 1 (66), 701 (153), 702 (50), ")


def test_small_dump_reads_as_expected() -> None:
    assert image_text(SMALL) == (
        "# SunSpec map at 40000: models 64999 (3)\n40000: 5375 6E53 FDE7 0003 0001 0002 0003 FFFF 0000\n"
    )


def test_map_elsewhere_is_found_and_blocks_are_as_small_as_asked() -> None:
    moved = {address - 40000: word for address, word in SMALL.items()}
    found, reads = dumped(moved, ScanSettings(bases=(40000, 0), max_block=2))
    assert found == whole(moved)
    assert reads == [Read(40000, 2), Read(0, 2), Read(2, 2), Read(4, 2), Read(6, 1), Read(7, 2)]


def test_block_that_is_refused_is_marked_as_unknown() -> None:
    found, _ = dumped(SMALL, fails=lambda read: REFUSED if read.address == 40004 else None)
    assert found == Dump(registers={**SMALL, 40004: None, 40005: None, 40006: None})
    assert "FDE7 0003 ---- ---- ---- FFFF" in image_text(SMALL | dict.fromkeys(range(40004, 40007)))


def test_map_that_breaks_off_is_dumped_as_far_as_it_goes() -> None:
    short = {address: word for address, word in SMALL.items() if address < 40007}
    assert dumped(short)[0] == whole(short)


@pytest.mark.parametrize("failure", [SILENT, BUSY], ids=["silent", "busy"])
@pytest.mark.parametrize("address", [40004, 40007], ids=["block", "header"])
def test_dump_that_breaks_off_says_so(address: int, failure: Failure) -> None:
    found, _ = dumped(SMALL, fails=lambda read: failure if read.address == address else None)
    assert isinstance(found, Dump)
    assert found.broken_by == failure
    assert found.text().splitlines()[-1] == f"# NOT COMPLETE: {failure.detail}"
    assert parse_image(found.text()) == {a: word for a, word in found.registers.items() if word is not None}


def test_map_that_ends_by_silence_is_dumped_whole() -> None:
    short = {address: word for address, word in SMALL.items() if address < 40007}
    settings = ScanSettings(map_end="silence")
    found, _ = dumped(short, settings, lambda read: SILENT if read.address == 40007 else None)
    assert found == whole(short)


def test_impossible_length_ends_the_dump() -> None:
    odd = SMALL | {40003: 3000}
    assert dumped(odd)[0] == whole({address: odd[address] for address in range(40000, 40004)})


def test_device_without_a_map_says_what_was_tried() -> None:
    found, _ = dumped(
        {0: 1, 1: 2}, ScanSettings(bases=(40000, 0)), lambda read: SILENT if read.address else None
    )
    assert found == Failure(FaultKind.MALFORMED, "no SunSpec map at 40000: no answer; 0: no SunS marker")


def test_serial_number_can_be_left_out() -> None:
    hidden = without_serial(inverter())
    assert [address for address, word in hidden.items() if word is None] == [*range(40052, 40068)]


def test_gap_begins_a_new_line() -> None:
    assert image_text({40000: 1, 40001: 2, 50000: 3}) == (
        "# SunSpec map at 40000: models none\n40000: 0001 0002\n50000: 0003\n"
    )
