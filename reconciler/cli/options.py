"""The host file as a command gets it, and the options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.cli.flags import host_option as host_option
from reconciler.cli.flags import output_option as output_option
from reconciler.settings import Flags, Settings, load_settings


def settings_of(host: Path | None, *, observe_only: bool = False) -> Settings:
    """The settings; SettingsError says what is wrong with the host file."""
    return load_settings(Flags(host, observe_only), os.environ)
