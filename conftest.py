"""Loads the plugin from a bare checkout, and pytester for the plugin's own tests."""

from __future__ import annotations

pytest_plugins = ["pytest_telescope.plugin", "pytester"]
