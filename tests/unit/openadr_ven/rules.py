"""Every numbered rule of OpenADR 2.0b that the facts name for a VEN, and where it is tested.

`MODEL` rules are of the state machine, `WIRE` rules of messages, transport and client of 2.0b.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`tests` begin with test_r and the number; none: `wire` says why there is no test."""

    number: int
    words: str
    wire: str = ""


MODEL = (
    (1, "times are whole seconds of UTC, fractions are cut off"),
    (2, "intervals follow each other and fill the active period"),
    (3, "priority 1 wins, 0 is none and the lowest"),
    (4, "modificationNumber starts at 0"),
    (5, "it counts up with each change"),
    (6, "any testEvent but false is a test: answered, never dispatched"),
    (8, "durations of the intervals are together the active period: else 454"),
    (10, "a cancellation counts the number up too"),
    (12, "oadrResponseRequired always: an answer for every event of every message"),
    (13, "near from the start of the ramp, active from dtstart"),
    (18, "overlap counts the whole random window"),
    (19, "good and bad events of one message are answered each on its own"),
    (21, "an unknown event that is cancelled is ignored and answered"),
    (22, "items of a target are OR'd, none is all of us: else 462"),
    (30, "the random offset is kept over modifications, unless startafter changes"),
    (36, "optIn to a cancellation: complied"),
    (41, "the requestID of the message is echoed in each eventResponse"),
    (43, "a requestID need not be unique"),
    (47, "duration 0 runs until it is cancelled"),
    (48, "unknown market context: 462; any is accepted where none is configured"),
    (50, "the list of events is a full snapshot"),
    (57, "a higher number takes the place of the event"),
    (58, "a lower number is answered with 450 and ignored"),
    (60, "the same for a cancelled event that comes again"),
    (61, "an event that is missing from a full list is cancelled"),
    (62, "oadrResponseRequired never: no answer"),
    (65, "a cancelled event that runs stops within its random window"),
    (66, "a status completed does not stop what runs in its random window"),
    (100, "exactly one payloadFloat for each interval: else 454"),
    (102, "uids count from 0 and give the order"),
    (103, "a dtstart inside an interval is accepted and not heeded"),
    (105, "an x-eiNotification that is missing is accepted"),
    (109, "unsupported signal, type or unit: 460"),
    (111, "device classes of a signal are AND'd with the target: else 462"),
    (112, "a resource that is not ours: 469"),
    (114, "a status that is sent is ignored, but for cancelled"),
    (116, "SIMPLE is a level"),
    (206, "an oadrCreateOpt stands against later answers to the event; only where responses are wanted"),
    (210, "an availability schedule of duration 0 has no end"),
    (211, "the opt of an event is not cancelled"),
    (407, "a cancelled registration leaves nothing"),
    (510, "all signals of the table, so those that certification asks for"),
)
WIRE = (
    (37, "the VEN pulls, and says so when it registers"),
    (42, "the requestID of eiResponse stays empty where there are answers"),
    (45, "no document names a schemaLocation"),
    (67, "TLS 1.2 with the two suites of the profile; better ones first, unless it is strict"),
    (68, "EC keys of 256 bits, RSA keys of 2048 bits, or longer"),
    (301, "first the registration, then metadata, events, polls"),
    (305, "who can report nothing leaves oadrReport out"),
    (306, "metadata is told as a whole, and ends every request before"),
    (308, "an rID stands once within a specifier"),
    (309, "metadata is told right after the registration"),
    (311, "reportRequestID is 0 in every metadata report"),
    (312, "metadata has the buffer, and METADATA_ before the name"),
    (313, "a report has its start, its intervals, and its name without METADATA_"),
    (315, "dtstart is the start of the period; what has no duration is a point in time"),
    (317, "granularity 0: changes alone, or the last value with its quality"),
    (318, "a placeholder of bad quality where there is no data"),
    (324, "reportBackDuration 0: one report, now, of one interval; history as a whole"),
    (325, "a report interval of duration 0 has no end"),
    (327, "metadata is told whenever it is asked for"),
    (328, "a report is cancelled by its own message or with oadrUpdatedReport; one last report on request"),
    (329, "oadrPendingReports lists every request that is scheduled"),
    (333, "metadata of telemetry has its sampling rates"),
    (340, "too much asked for: 454, and none of the message is taken"),
    (405, "events are asked for before the first poll, without a limit"),
    (406, "a first registration has no IDs, a re-registration both"),
    (500, "not faster than asked for, at once while there is more, slower while it fails"),
    (509, "every message has schemaVersion 2.0b, and another one is refused"),
    (511, "the URL ends with OpenADR2/Simple/2.0b and the service"),
    (512, "IDs are compared letter by letter"),
    (514, "unsigned is refused where signatures are wanted; old, early and used nonces too"),
    (516, "a certificate that is over signs nothing and connects to nobody"),
)
"""Rules of the messages, of their order, and of security."""
ELSEWHERE = (
    (38, "what a VTN must serve: ours, for tests and demos, is polled and nothing else"),
    (507, "the same"),
)
RULES = (
    *(Rule(number=number, words=words) for number, words in MODEL),
    *(Rule(number=number, words=words) for number, words in WIRE),
    *(Rule(number=number, words="", wire=why) for number, why in ELSEWHERE),
)
