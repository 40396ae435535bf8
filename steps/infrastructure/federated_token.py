"""Print an identity token of the service connection as Google's libraries want it from a program.

Format: https://google.aip.dev/auth/4117 (executable-sourced credentials).
"""

from __future__ import annotations

import json
import os

from pytest_telescope.cluster.clouds.aws_login import CONNECTION
from pytest_telescope.cluster.clouds.aws_login import pipeline_token
from pytest_telescope.errors import CloudError


def answer() -> dict[str, object]:
    """Return the token, or why there is none."""
    connection = os.environ.get("TELESCOPE_SERVICE_CONNECTION_ID", "")
    try:
        token = pipeline_token({**os.environ, CONNECTION: connection})
    except CloudError as error:
        return {"version": 1, "success": False, "code": "NO_TOKEN", "message": str(error)}
    kind = "urn:ietf:params:oauth:token-type:jwt"
    return {"version": 1, "success": True, "token_type": kind, "id_token": token}


if __name__ == "__main__":
    print(json.dumps(answer()))
