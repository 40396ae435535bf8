"""Variables of the environment as Azure Pipelines leaves them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_UNEXPANDED = re.compile(r"\$\([^()]*\)")


def setting(environ: Mapping[str, str], name: str) -> str:
    """Return a variable without the blanks around it; "" where it is not set or was not expanded."""
    value = environ.get(name, "").strip()
    return "" if unexpanded(value) else value


def unexpanded(value: str) -> bool:
    """Tell whether a value is the literal `$(NAME)` that a pipeline leaves for a variable that is not set."""
    return _UNEXPANDED.fullmatch(value.strip()) is not None
