"""Where the operator API of a site is, as its settings folder tells."""

from dataclasses import dataclass
from pathlib import Path

from sep2_server.operator.operator_settings import (
    TABLE,
    URL_FILE,
    OperatorSettings,
    operator_settings,
    settings_file,
    toml_of,
)
from sep2_server.operator.token_files import FIRST_FILE
from sep2_server.setting_values import ROOTS, SettingsError


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

    A running server leaves its URL in a file; without that the host and port of the settings count. Of the
    settings only what the API concerns is looked at.
    """
    file = settings_file(path)
    try:
        given = toml_of(file)
        operator = operator_settings(given[TABLE])
    except SettingsError as flaw:
        raise WhereaboutsError(str(flaw), "name the folder that `lineside server init` made") from flaw
    folder, roots = file.parent / operator.folder, file.parent / str(given.get("roots", ROOTS))
    try:
        return _left_in(folder, roots, operator)
    except (OSError, ValueError) as flaw:
        hint = "run as the user who owns it, or give --server, --token-file and --roots"
        raise WhereaboutsError(f"{folder}: {getattr(flaw, 'strerror', None) or flaw}", hint) from flaw


def _left_in(folder: Path, roots: Path, operator: OperatorSettings) -> Whereabouts:
    left = folder / URL_FILE
    scheme = "http" if operator.plain_http else "https"
    return Whereabouts(
        url=left.read_text().strip() if left.exists() else f"{scheme}://{operator.host}:{operator.port}",
        token_file=folder / FIRST_FILE,
        roots=roots if roots.exists() else None,
    )
