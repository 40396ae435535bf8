"""An independent watch: when the first pod was there, and when the last one ran, whoever made them."""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPException
from pathlib import Path
from typing import Self
from urllib.parse import quote

from pytest_telescope.load.api import Api


class Witness:
    """Watches the pods of a label selector from a thread of its own."""

    def __init__(self, kubeconfig: Path, selector: str) -> None:
        self._api = Api.from_kubeconfig(kubeconfig)
        self._path = f"/api/v1/pods?watch=1&labelSelector={quote(selector)}"
        self._done = False
        self.added: dict[str, float] = {}
        self.running: dict[str, float] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        self._done = True
        self._api.close()

    @property
    def seconds(self) -> float:
        """From the first ADDED to the last first Running."""
        return max(self.running.values()) - min(self.added.values())

    def _watch(self) -> None:
        while not self._done:
            try:
                self._follow()
            except (OSError, ValueError, HTTPException):
                time.sleep(0.05)

    def _follow(self) -> None:
        rest = b""
        for chunk in self._api.stream(self._path).chunks():
            now = time.time()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._see(json.loads(line), now)

    def _see(self, event: dict[str, object], now: float) -> None:
        pod = event["object"]
        assert isinstance(pod, dict)
        uid = pod["metadata"]["uid"]
        self.added.setdefault(uid, now)
        if pod.get("status", {}).get("phase") == "Running":
            self.running.setdefault(uid, now)
