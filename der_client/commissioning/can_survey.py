"""What is on a CAN bus: identifiers with their periods, and which profile knows them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from der_client.can import CanFrame, Profile


@dataclass(slots=True, kw_only=True)
class Heard:
    """One identifier as it was heard: how often, with which longest gap (s), and its last bytes."""

    frame: CanFrame
    count: int = 1
    longest_gap_s: float = 0.0

    def again(self, frame: CanFrame) -> None:
        """One more frame of this identifier."""
        self.longest_gap_s = max(self.longest_gap_s, frame.received_s - self.frame.received_s)
        self.frame, self.count = frame, self.count + 1


class Survey:
    """All identifiers of a bus over `duration_s`."""

    def __init__(self) -> None:
        self.heard: dict[tuple[int, bool], Heard] = {}
        self.duration_s = 0.0
        self.frames = 0

    def take(self, frame: CanFrame) -> None:
        """Count one frame."""
        self.frames += 1
        key = (frame.arbitration_id, frame.is_extended)
        if key in self.heard:
            self.heard[key].again(frame)
        else:
            self.heard[key] = Heard(frame=frame)

    def of(self, profile: Profile, message: str) -> Heard | None:
        """What was heard of a message of the profile."""
        return self.heard.get(profile.identifier(message))

    def missing(self, profile: Profile) -> tuple[str, ...]:
        """Messages that the profile cannot do without and that were not heard."""
        return tuple(sorted(name for name in profile.must_have if self.of(profile, name) is None))

    def share(self, profile: Profile) -> float:
        """Share of the heard identifiers that the profile reads, 0 to 1; 0 on a silent bus."""
        known = sum(1 for name in profile.incoming if self.of(profile, name) is not None)
        return known / len(self.heard) if self.heard else 0.0

    def lines(self, profile: Profile) -> Iterator[str]:
        """Every identifier, with the name that the profile has for it."""
        names = {profile.identifier(m.name): m.name for m in profile.database.messages}
        for key, heard in sorted(self.heard.items()):
            rate = f"{heard.count} in {self.duration_s:.0f} s, longest gap {heard.longest_gap_s:.2f} s"
            data = heard.frame.data.hex(" ").upper()
            yield f"  {heard.frame.id_text:>8} {names.get(key, '?'):<20} {rate:<40} {data}"


def best_profile(survey: Survey, profiles: tuple[Profile, ...]) -> Profile | None:
    """The profile that misses nothing that it needs and knows most of what was heard; `None` if none does."""
    fitting = [profile for profile in profiles if not survey.missing(profile)]
    return max(fitting, key=survey.share, default=None)
