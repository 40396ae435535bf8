"""Loads the plugin from a bare checkout."""

from __future__ import annotations

pytest_plugins = ["pytest_telescope.plugin"]
