"""What the owner of a program tells it, one form for all of ours: settings in TOML, a local socket."""

from owner.errors import SettingsError
from owner.local_socket import answer_line, ask, opened, reachable
from owner.settings_table import SettingShape, built, shapes_of, toml_table

__all__ = [
    "SettingShape",
    "SettingsError",
    "answer_line",
    "ask",
    "built",
    "opened",
    "reachable",
    "shapes_of",
    "toml_table",
]
