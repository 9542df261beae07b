"""The error of settings.

SettingsError   a setting is unknown, missing or out of range; names the setting
"""


class SettingsError(Exception):
    """A setting is unknown, missing or out of range."""
