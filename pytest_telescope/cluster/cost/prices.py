"""The price tables: one YAML file a provider, read once, and only where a cell of that provider is priced.

`TELESCOPE_PRICES` names a YAML file of the same shape by provider, laid over ours: other regions, own discounts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError

HERE = Path(__file__).parent
CLOUDS = HERE.parent / "clouds"
OWN = "TELESCOPE_PRICES"
MONTH = 730.0
"""Hours of a month, as the clouds bill disks."""
FREE_EVERYWHERE = ("terraform_data", "null_resource", "random_*", "time_*", "tls_*")
_AZURE = re.compile(r"Standard_([A-Z]+)([0-9]+)([a-z]*)(?:_v([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Prices:
    """The table of one provider."""

    provider: str
    table: Mapping[str, Any]

    def machine(self, name: str, region: str) -> float | None:
        """Return the price of a machine and hour; None where the table does not know type or region."""
        listed = _in_region(self.table.get("types", {}).get(name, {}), region)
        if listed is not None:
            return float(listed)
        family, size = split(self.provider, name)
        entry = self.table["families"].get(family)
        if entry is None or size not in map(str, entry.get("sizes", ())):
            return None
        unit = _unit(entry, region)
        return None if unit is None else unit * float(self.table.get("size_factors", {}).get(size) or size)

    def disk(self, kind: str | None, gb: float | None, machine: str | None) -> float | None:
        """Return the price of an OS disk and hour; what is None is what the provider takes where nothing is said."""
        kind = self.disk_kind(kind, machine)
        if kind in self.table.get("disks_free", ()):
            return 0.0
        gb = gb or self.default("os_disk_gb") or self._disk_of(machine)
        if gb is None:
            return None
        month = self._class(gb) if "disk_classes" in self.table else _times(self.table["disks"].get(kind), gb)
        return None if month is None else month / MONTH

    def disk_kind(self, kind: str | None, machine: str | None) -> str:
        """Return `kind`, else what the machine needs, else the provider's default."""
        needed: Mapping[str, str] = self.table.get("disk_by_machine", {})
        found = (needed[start] for start in needed if (machine or "").startswith(start))
        return kind or next(found, None) or str(self.default("os_disk_type"))

    def _disk_of(self, machine: str | None) -> float | None:
        size = split(self.provider, machine or "")[1]
        steps = self.table.get("disk_by_vcpu", {})
        fitting = [gb for vcpus, gb in steps.items() if size.isdigit() and vcpus <= int(size)]
        return max(fitting, default=None)

    def _class(self, gb: float) -> float | None:
        classes: Mapping[float, float] = self.table["disk_classes"]
        return next((usd for size, usd in sorted(classes.items()) if gb <= size), None)

    def fixed(self, name: str) -> float | None:
        """Return the hourly price of `load_balancer`, `public_ip`, `nat_gateway`."""
        return self.table.get(name)

    def control_plane(self, tier: str) -> float | None:
        """Return the hourly price of a control plane; `tier` in lower case."""
        found: float | None = self.table["control_plane"].get(tier)
        return found

    def default(self, name: str) -> Any:
        """Return what the harness takes where a spec says nothing: region, machine, system_machine, ...."""
        return self.table["defaults"].get(name)

    def listed(self, region: str) -> bool:
        """Return whether machines of `region` have their prices from the table's source."""
        return region in self.table["listed_regions"]

    def disk_listed(self, kind: str) -> bool:
        """Return whether disks of this kind have their price from the table's source."""
        return kind in self.table.get("listed_disks", ())

    def free(self, kind: str) -> bool:
        """Return whether a Terraform resource of this type is known to cost nothing by itself."""
        return any(fnmatchcase(kind, pattern) for pattern in (*FREE_EVERYWHERE, *self.table["free"]))


def prices(provider: str) -> Prices:
    """Return the table of `aks`, `eks` or `gke`.

    Raises:
        UsageError: the file that `TELESCOPE_PRICES` names cannot be read.
    """
    return _prices(provider, os.environ.get(OWN) or None)


@cache
def _prices(provider: str, own: str | None) -> Prices:
    table = _read(HERE / f"{provider}.yaml")
    chosen = CLOUDS / f"{provider}.yaml"
    if chosen.exists():
        table["defaults"] = {**table["defaults"], **(_read(chosen).get("defaults") or {})}
    if own:
        table = _laid_over(table, _own(Path(own)).get(provider) or {})
    return Prices(provider, table)


def split(provider: str, machine: str) -> tuple[str, str]:
    """Return family and size of a machine type, as the tables spell them: `Standard_D4s_v5` is `Ds-v5` and `4`."""
    if provider == "eks":
        family, _, size = machine.partition(".")
    elif provider == "gke":
        family, _, size = machine.rpartition("-")
    elif found := _AZURE.fullmatch(machine):
        letter, size, rest, version = found.groups()
        family = letter + rest + (f"-v{version}" if version else "")
    else:
        return "", ""
    return family, size


def _unit(entry: Mapping[str, Any], region: str) -> float | None:
    rate = _in_region(entry["usd"], region)
    if isinstance(rate, Mapping):
        return float(rate["vcpu"] + entry["memory"] * rate["gb"])
    return None if rate is None else float(rate)


def _in_region(by_regions: Mapping[str, Any], region: str) -> Any:
    return next((rate for regions, rate in by_regions.items() if region in regions.split()), None)


def _times(usd: float | None, gb: float) -> float | None:
    return None if usd is None else usd * gb


def _read(path: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time where libyaml is there
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return found


def _own(path: Path) -> dict[str, Any]:
    import yaml

    try:
        found = _read(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{OWN}={path} cannot be read: {error}; see docs/costs.md for its shape") from error
    if not isinstance(found, Mapping) or set(found) - {"aks", "eks", "gke"}:
        raise UsageError(f"{OWN}={path} is not a mapping of aks, eks and gke; see docs/costs.md for its shape")
    return dict(found)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, with `above` first: the first of several entries for a region counts."""
    merged = {key: _joined(below.get(key), value) for key, value in above.items()}
    return {**merged, **{key: value for key, value in below.items() if key not in above}}


def _joined(below: Any, above: Any) -> Any:
    return _laid_over(below, above) if isinstance(below, Mapping) and isinstance(above, Mapping) else above
