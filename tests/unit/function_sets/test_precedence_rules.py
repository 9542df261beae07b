"""The client's rules of events, one by one. IEEE 2030.5-2018, 10.2.3 and 10.10."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from function_sets.events import Draw
from function_sets.phases import Phase
from function_sets.precedence import EventRecord, Outcome, Program, Rules, advance
from schemas import DateTimeInterval, DefaultDERControl, DERControl, DERControlBase, EventStatus

LIMIT = DERControlBase(opModMaxLimW=5000, rampTms=700)
FIXED = DERControlBase(opModFixedW=2500)
BOTH = DERControlBase(opModMaxLimW=4000, opModFixedW=2000)
DEFAULT = DefaultDERControl(mRID="D0", DERControlBase_=DERControlBase(opModMaxLimW=9000), setGradW=27)
Status = tuple[int, int]


def control(
    mrid: str,
    start: int,
    end: int,
    *,
    base: DERControlBase = LIMIT,
    created: int = 0,
    status: Status = (0, 0),
    random: tuple[int | None, int | None] = (None, None),
    category: str | None = None,
    required: str = "07",
) -> DERControl:
    return DERControl(
        replyTo="/rsp",
        responseRequired=required,
        mRID=mrid,
        creationTime=created,
        EventStatus_=EventStatus(currentStatus=status[0], dateTime=status[1], potentiallySuperseded=False),
        interval=DateTimeInterval(duration=end - start, start=start),
        randomizeStart=random[0],
        randomizeDuration=random[1],
        DERControlBase_=base,
        deviceCategory=category,
    )


def program(
    *controls: DERControl, primacy: int = 5, name: str | None = None, default: DefaultDERControl | None = None
) -> Program:
    href = f"/derp/{name or primacy}"
    return Program(href=href, mRID=f"{primacy:02X}", primacy=primacy, default=default, controls=controls)


@dataclass
class Client:
    """A client with its records; draws are given by mRID."""

    rules: Rules = field(default_factory=Rules)
    draws: Mapping[str, Draw] = field(default_factory=dict)
    records: Mapping[str, EventRecord] = field(default_factory=dict)
    codes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)
    category: int = 0
    supported: frozenset[str] | None = None

    def draw(self, one: DERControl) -> Draw:
        self.drawn.append(one.mRID)
        return self.draws.get(one.mRID, Draw())

    def at(self, now: int, *programs: Program) -> Outcome:
        outcome = advance(
            programs,
            self.records,
            now,
            rules=self.rules,
            draw=self.draw,
            device_category=self.category,
            supported=self.supported,
        )
        self.records = outcome.records
        for due in outcome.due:
            self.codes.setdefault(due.mRID, []).append((due.status, due.at))
        return outcome

    def through(self, times: Sequence[int], *programs: Program) -> list[str | None]:
        """The holder of opModMaxLimW at each time."""
        found = [self.at(now, *programs).modes.get("opModMaxLimW") for now in times]
        return [None if source is None else source.mRID for source in found]


def test_source_of_an_event_tells_all() -> None:
    source = Client().at(20, program(control("A", 10, 50), default=DEFAULT)).modes["opModMaxLimW"]
    assert (source.value, source.mRID, source.program_href, source.primacy) == (5000, "A", "/derp/5", 5)
    assert source.ramp_tms == 700


def test_default_holds_while_nothing_is_active() -> None:
    outcome = Client().at(0, program(default=DEFAULT))
    source = outcome.modes["opModMaxLimW"]
    assert (source.value, source.mRID, outcome.next_at, outcome.due) == (9000, None, None, ())


def test_settings_come_from_the_best_default_even_while_an_event_runs() -> None:
    worse = replace(DEFAULT, setGradW=100)
    outcome = Client().at(
        20, program(control("A", 10, 50), primacy=9, default=worse), program(default=DEFAULT)
    )
    assert outcome.defaults == DEFAULT


def test_no_defaults_without_any_default() -> None:
    assert Client().at(0, program()).defaults is None


@pytest.mark.parametrize(
    ("rules", "modes"),
    [
        (Rules(), {"opModMaxLimW": 9000, "opModFixedW": 2000}),
        (Rules(defaults_per_mode=False), {"opModMaxLimW": 9000}),
    ],
    ids=["per mode", "of one program"],
)
def test_defaults_of_several_programs(rules: Rules, modes: Mapping[str, object]) -> None:
    other = DefaultDERControl(mRID="D1", DERControlBase_=BOTH)
    outcome = Client(rules=rules).at(0, program(primacy=9, default=other), program(default=DEFAULT))
    assert {mode: source.value for mode, source in outcome.modes.items()} == modes


def test_modes_that_the_der_lacks_have_no_source() -> None:
    client = Client(supported=frozenset({"opModFixedW"}))
    outcome = client.at(20, program(control("A", 10, 50, base=BOTH), default=DEFAULT))
    assert set(outcome.modes) == {"opModFixedW"}


def test_event_goes_on_with_its_modes_when_the_der_loses_them() -> None:
    client = Client(supported=frozenset({"opModMaxLimW"}))
    client.at(20, program(control("A", 10, 50)))
    client.supported = frozenset()
    assert client.at(30, program(control("A", 10, 50))).modes == {}
    assert client.records["A"].phase is Phase.STARTED


def test_next_time_is_the_start_then_the_end() -> None:
    client = Client()
    shown = program(control("A", 10, 50))
    assert [client.at(now, shown).next_at for now in (0, 10, 50)] == [10, 50, None]


def test_removal_from_the_list_is_no_cancellation() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50)))
    assert client.through([20, 50], program()) == ["A", None]
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_loss_of_the_program_ends_its_events() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50), control("B", 60, 70)))
    client.at(20)
    assert client.codes == {"A": [(1, 0), (2, 10), (6, 20)], "B": [(1, 0), (6, 20)]}


def test_event_that_moved_to_another_program_goes_on() -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    assert client.through([30], program(control("A", 10, 50), primacy=7)) == ["A"]
    assert (client.records["A"].program_href, client.records["A"].primacy) == ("/derp/7", 7)


def test_event_in_two_lists_counts_once_in_the_better_program() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50), primacy=9), program(control("A", 10, 50)))
    assert (client.records["A"].primacy, client.codes["A"]) == (5, [(1, 0)])


def test_change_of_primacy_counts_for_events_that_are_not_listed() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50), name="x"), program(control("B", 20, 60), primacy=6))
    shown = program(primacy=7, name="x"), program(control("B", 20, 60), primacy=6)
    assert client.through([5, 15, 20], *shown) == [None, None, "B"]


@pytest.mark.parametrize(
    ("category", "device", "codes"),
    [
        (None, 0, {"A": [(1, 0)]}),
        ("00000000", 0, {"A": [(1, 0)]}),
        ("00200000", 1 << 21, {"A": [(1, 0)]}),
        ("00200000", 1 << 25, {}),
        ("00200000", 0, {}),
    ],
)
def test_event_for_other_device_categories_is_ignored(
    category: str | None, device: int, codes: Mapping[str, object]
) -> None:
    client = Client(category=device)
    client.at(0, program(control("A", 10, 50, category=category)))
    assert client.codes == codes


@pytest.mark.parametrize("status", [2, 3, 4])
def test_event_that_was_over_for_the_server_when_first_seen_is_ignored(status: int) -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50, status=(status, 0))))
    assert (client.codes, client.records) == ({}, {})


@pytest.mark.parametrize(
    ("base", "now", "code"), [(FIXED, 0, 252), (DERControlBase(), 0, 253), (LIMIT, 50, 254)]
)
def test_rejection_is_sent_once(base: DERControlBase, now: int, code: int) -> None:
    client = Client(supported=frozenset({"opModMaxLimW"}))
    client.through([now, now + 1], program(control("A", 10, 50, base=base)))
    assert (client.codes["A"], client.drawn) == ([(code, now)], [])


def test_draw_is_made_once() -> None:
    client = Client(draws={"A": Draw(start_s=5)})
    client.through([0, 1, 15, 20], program(control("A", 10, 50, random=(9, None))))
    assert (client.drawn, client.codes["A"][1]) == (["A"], (2, 15))


def test_newer_event_of_the_same_program_wins_whatever_the_rules() -> None:
    client = Client(rules=Rules.of_aggregator())
    shown = program(control("A", 10, 50), control("B", 20, 40, created=1))
    assert client.through([0, 10, 20, 40], shown) == [None, None, "B", None]
    assert client.codes == {"A": [(1, 0), (7, 20)], "B": [(1, 0), (2, 20), (3, 40)]}


def test_event_received_under_a_better_one_is_superseded_on_receipt() -> None:
    client = Client()
    better = program(control("B", 10, 50))
    client.at(20, better)
    client.at(30, better, program(control("A", 40, 80), primacy=6))
    assert client.codes["A"] == [(1, 30), (7, 30)]


def test_event_starts_late_when_the_one_that_kept_it_back_is_cancelled() -> None:
    client = Client()
    worse = program(control("A", 10, 50), primacy=6)
    client.through([0, 10], worse, program(control("B", 30, 60)))
    assert client.through([20], worse, program(control("B", 30, 60, status=(2, 20)))) == ["A"]
    assert client.codes == {"A": [(1, 0), (2, 20)], "B": [(1, 0), (6, 20)]}


def test_event_that_is_kept_back_itself_keeps_no_other_back() -> None:
    client = Client()
    shown = (
        program(control("A", 0, 40), primacy=7),
        program(control("B", 30, 90), primacy=6),
        program(control("C", 60, 99)),
    )
    assert client.through([0, 30, 40, 60], *shown) == ["A", "A", None, "C"]
    assert client.codes["B"] == [(1, 0), (7, 60)]


def test_event_that_loses_one_mode_goes_on_with_the_rest() -> None:
    client = Client()
    shown = program(control("A", 10, 50, base=BOTH), primacy=6), program(control("B", 20, 30))
    client.at(0, *shown)
    holders = {
        now: {mode: source.mRID for mode, source in client.at(now, *shown).modes.items()}
        for now in (10, 20, 30)
    }
    assert holders == {
        10: {"opModFixedW": "A"},
        20: {"opModFixedW": "A", "opModMaxLimW": "B"},
        30: {"opModFixedW": "A"},
    }
    client.at(50, *shown)
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_event_is_superseded_when_its_last_mode_is_lost() -> None:
    client = Client()
    shown = (
        program(control("A", 10, 50, base=BOTH), primacy=6),
        program(control("B", 20, 30)),
        program(control("C", 40, 60, base=FIXED), primacy=4),
    )
    client.at(9, shown[0])
    client.at(10, shown[0])
    client.through([20, 40], *shown)
    assert client.codes["A"] == [(1, 9), (2, 10), (7, 40)]


def test_running_event_takes_up_a_mode_that_came_free() -> None:
    client = Client()
    worse = program(control("A", 10, 50, base=BOTH), primacy=6)
    client.through([0, 10], worse, program(control("B", 20, 30)))
    assert client.through([15], worse, program(control("B", 20, 30, status=(2, 15)))) == ["A"]


def test_cancellation_with_randomization_ends_a_running_event_in_its_window() -> None:
    client = Client(draws={"A": Draw(start_s=5)})
    listed = control("A", 10, 50, random=(8, 4))
    client.through([0, 15], program(listed))
    cancelled = control("A", 10, 50, random=(8, 4), status=(3, 20))
    assert client.through([20, 24, 25], program(cancelled)) == ["A", "A", None]
    assert client.codes["A"] == [(1, 0), (2, 15), (6, 25)]


def test_cancellation_with_randomization_drops_an_event_that_has_not_started() -> None:
    client = Client(draws={"A": Draw(start_s=8)})
    client.at(0, program(control("A", 10, 50, random=(8, None))))
    client.at(5, program(control("A", 10, 50, random=(8, None), status=(3, 5))))
    assert client.codes["A"] == [(1, 0), (6, 5)]


def test_status_superseded_ends_an_event_whose_winner_is_not_known() -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    client.at(30, program(control("A", 10, 50, status=(4, 30))))
    assert client.codes["A"] == [(1, 20), (2, 20), (7, 30)]


def test_status_superseded_waits_for_the_random_start_of_the_winner() -> None:
    client = Client(draws={"B": Draw(start_s=10)})
    winner = control("B", 30, 70, created=1, random=(20, None))
    client.at(20, program(control("A", 10, 50)))
    listed = program(control("A", 10, 50, status=(4, 30)), winner)
    assert client.through([30, 39, 40], listed) == ["A", "A", "B"]
    assert client.codes["A"] == [(1, 20), (2, 20), (7, 40)]


def test_random_part_opens_no_gap_between_successive_events() -> None:
    client = Client(draws={"B": Draw(start_s=15)})
    shown = program(control("A", 10, 50), control("B", 50, 90, random=(20, None)))
    assert client.through([0, 10, 50, 64, 65, 104], shown) == [None, "A", "A", "A", "B", "B"]
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 65)]


def test_only_shared_modes_are_held_until_the_successor() -> None:
    client = Client(draws={"B": Draw(start_s=15)})
    shown = program(control("A", 10, 50, base=BOTH), control("B", 50, 90, random=(20, None)))
    client.through([0, 10], shown)
    assert set(client.at(50, shown).modes) == {"opModMaxLimW"}


def test_shortened_event_goes_on_to_its_successor() -> None:
    client = Client(draws={"A": Draw(duration_s=-10)})
    shown = program(control("A", 10, 50, random=(None, -20)), control("B", 50, 90))
    assert client.through([0, 45, 50], shown) == [None, "A", "B"]


def test_successor_ends_an_event_that_its_random_part_prolongs() -> None:
    client = Client(draws={"A": Draw(duration_s=10)})
    shown = program(control("A", 10, 50, random=(None, 20))), program(control("B", 50, 90), primacy=6)
    assert client.through([0, 10, 50, 55], *shown) == [None, "A", "B", "B"]
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_event_whose_time_the_successor_took_before_it_ran_is_superseded() -> None:
    client = Client(draws={"A": Draw(start_s=60)})
    shown = program(control("A", 10, 50, random=(60, None)), control("B", 50, 90))
    assert client.through([0, 50, 70], shown) == [None, "B", "B"]
    assert client.codes["A"] == [(1, 0), (7, 50)]


def test_event_that_its_random_part_leaves_no_time_starts_and_ends_at_once() -> None:
    client = Client(draws={"A": Draw(duration_s=-5)})
    client.through([0, 10], program(control("A", 10, 15, random=(None, -5))))
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 10)]


@pytest.mark.parametrize(("rules", "code"), [(Rules(), 7), (Rules.of_aggregator(), 14)])
def test_event_that_is_kept_back_until_its_end_is_superseded(rules: Rules, code: int) -> None:
    client = Client(rules=rules, draws={"B": Draw(start_s=30)})
    shown = program(control("A", 10, 50), primacy=6), program(control("B", 40, 90, random=(30, None)))
    client.through([0, 50], *shown)
    assert client.codes["A"] == [(1, 0), (code, 50)]


def test_far_step_lets_everything_happen_at_its_own_second() -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50)))
    client.at(1000, program())
    assert client.codes["A"] == [(1, 0), (2, 10), (3, 50)]


def test_clock_that_steps_back_starts_nothing_anew() -> None:
    client = Client()
    shown = program(control("A", 10, 50))
    assert client.through([20, 5, 20], shown) == ["A", "A", "A"]
    assert client.codes["A"] == [(1, 20), (2, 20)]


@pytest.mark.parametrize(
    ("moved", "now", "codes"),
    [
        pytest.param((30, 60), 5, [(1, 0), (2, 30), (3, 60)], id="later"),
        pytest.param((0, 4), 5, [(1, 0), (6, 5)], id="into the past"),
        pytest.param((10, 40), 20, [(1, 0), (2, 10), (3, 40)], id="shorter while it runs"),
        pytest.param((10, 15), 20, [(1, 0), (2, 10), (3, 20)], id="ended while it runs"),
    ],
)
def test_changed_interval_is_followed(moved: tuple[int, int], now: int, codes: list[tuple[int, int]]) -> None:
    client = Client()
    client.at(0, program(control("A", 10, 50)))
    client.through([now, 99], program(control("A", *moved)))
    assert client.codes["A"] == codes


def opted(times: Mapping[int, bool], shown: Program) -> list[tuple[int, int]]:
    """Codes of event A for a user who is out or in from each time on."""
    client = Client()
    for now, is_out in times.items():
        client.rules = Rules(opted_out=is_out)
        client.at(now, shown)
    return client.codes["A"]


@pytest.mark.parametrize(
    ("times", "codes"),
    [
        pytest.param({0: True, 10: True, 50: True}, [(1, 0), (4, 0), (10, 50)], id="out all the time"),
        pytest.param({0: False, 20: True, 50: True}, [(1, 0), (2, 10), (4, 20), (8, 50)], id="left"),
        pytest.param(
            {0: False, 20: True, 30: False, 50: False},
            [(1, 0), (2, 10), (4, 20), (5, 30), (9, 50)],
            id="left and came back",
        ),
        pytest.param(
            {0: True, 5: False, 50: False},
            [(1, 0), (4, 0), (5, 5), (2, 10), (3, 50)],
            id="in before the start",
        ),
        pytest.param(
            {0: True, 20: False, 50: False},
            [(1, 0), (4, 0), (5, 20), (2, 20), (9, 50)],
            id="in after the start",
        ),
    ],
)
def test_user_leaves_and_joins(times: Mapping[int, bool], codes: list[tuple[int, int]]) -> None:
    assert opted(times, program(control("A", 10, 50))) == codes


def test_event_of_a_user_who_left_governs_nothing() -> None:
    client = Client()
    client.at(20, program(control("A", 10, 50)))
    client.rules = Rules(opted_out=True)
    assert client.through([30], program(control("A", 10, 50), default=DEFAULT)) == [None]


def test_joined_event_that_is_kept_back_waits_and_may_leave_again() -> None:
    client = Client(rules=Rules(opted_out=True))
    shown = program(control("A", 10, 50), primacy=6), program(control("B", 40, 60))
    client.at(0, *shown)
    client.rules = Rules()
    client.at(20, *shown)
    client.rules = Rules(opted_out=True)
    client.at(25, *shown)
    assert client.codes["A"] == [(1, 0), (4, 0), (5, 20), (4, 25)]
