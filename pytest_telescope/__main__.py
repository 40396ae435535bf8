"""`python -m pytest_telescope` is `telescope`."""

from __future__ import annotations

import sys

from pytest_telescope.cli import main

sys.exit(main())
