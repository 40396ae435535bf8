"""`python -m pytest_telescope.toolchain NAME...`: print the paths of tools, for makefiles and scripts."""

from __future__ import annotations

import sys

from pytest_telescope.errors import TelescopeError
from pytest_telescope.toolchain import ensure


def main(names: list[str]) -> int:
    """Print the path of each tool, building what is missing (progress on stderr); return the exit code."""
    try:
        found = ensure(names, lambda line: print(line, file=sys.stderr, flush=True))
    except TelescopeError as error:
        print(error, file=sys.stderr)
        return 1
    print(*found.values(), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
