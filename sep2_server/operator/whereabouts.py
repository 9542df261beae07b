"""Where the operator API of a site is, as its settings folder tells."""

from dataclasses import dataclass
from pathlib import Path

from sep2_server.errors import SettingsError
from sep2_server.operator.site import URL_FILE, read_site, settings_file
from sep2_server.operator.token_files import FIRST_FILE


class WhereaboutsError(Exception):
    """The settings do not tell; `hint` says what to do."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """URL of the API, file of the token, file of the roots to trust; None where unknown."""

    url: str | None = None
    token_file: Path | None = None
    roots: Path | None = None


def whereabouts_of(path: Path) -> Whereabouts:
    """What a settings file, or the folder that has it, tells. WhereaboutsError where it tells nothing.

    A running server leaves its URL in a file; without that the host and port of the settings count.
    """
    try:
        site = read_site(settings_file(path))
    except SettingsError as flaw:
        raise WhereaboutsError(str(flaw), "name the folder that `lineside server init` made") from flaw
    left = site.operator.folder / URL_FILE
    scheme = "http" if site.operator.plain_http else "https"
    return Whereabouts(
        url=left.read_text().strip()
        if left.exists()
        else f"{scheme}://{site.operator.host}:{site.operator.port}",
        token_file=site.operator.folder / FIRST_FILE,
        roots=site.server.roots if site.server.roots.exists() else None,
    )
