"""How much each pod of the load asks and consumes; pure."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pytest_telescope.errors import LoadError
from pytest_telescope.load.nodes import Room
from pytest_telescope.load.quantity import parse_quantity
from pytest_telescope.scenario.model import Consume

HEADROOM = 16 * 1024 * 1024
"""Bytes that shell, stress and consume-cpu need beside what they are told to consume (about 8 MiB resident)."""
MILLICORE = Decimal("0.001")
KIB = 1024
SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What one pod gets and where the pods of a wave land.

    Attributes:
        millicores, memory: what a pod consumes (thousandths of a core, bytes); 0 means it consumes none.
        memory_request: bytes; `memory` and the head room for the binaries.
        landing: pods a node, an even spread bounded by each node's pod slots.
        real: how many of the pods land on nodes with a kubelet.
        even: every node has slots for an even share, so the spread can be demanded of the scheduler.
    """

    millicores: int
    memory: int
    memory_request: int
    landing: Mapping[str, int]
    real: int
    even: bool

    @property
    def asked_cpu(self) -> float:
        """Cores that a wave's pods really consume; simulated pods consume none."""
        return self.millicores * self.real / 1000

    @property
    def asked_memory(self) -> float:
        """Bytes, likewise."""
        return float(self.memory * self.real)


def size(rooms: Sequence[Room], pods: int, consume: Consume) -> Sizing:
    """Return what each of `pods` pods asks and consumes.

    `fit` takes `consume.share` of what a node has left, divided by the pods that land on it; all pods are alike, so
    the tightest node decides.

    Raises:
        LoadError: they cannot fit; says per node what is left and what was asked.
    """
    open_rooms = [room for room in rooms if room.closed is None]
    landing = spread([max(room.slots, 0) for room in open_rooms], pods)
    if landing is None:
        raise LoadError(_refusal(f"{pods} pods", "pod slots", rooms))
    used = [(room, count) for room, count in zip(open_rooms, landing, strict=True) if count]
    cpu = _cpu(used, consume)
    request = _memory_request(used, consume)
    _check(rooms, cpu, request, pods, fit=consume.cpu == "fit")
    even_share = -(-pods // len(open_rooms))
    return Sizing(
        millicores=int(cpu / MILLICORE),
        memory=request - HEADROOM if request > HEADROOM else 0,
        memory_request=request,
        landing={room.name: count for room, count in used},
        real=sum(count for room, count in used if room.real),
        even=all(room.slots >= even_share for room in open_rooms),
    )


def spread(slots: Sequence[int], pods: int) -> list[int] | None:
    """Return an even spread of `pods` over nodes with so many slots, or None if there are too few."""
    if sum(slots) < pods:
        return None
    counts = [0] * len(slots)
    left = pods
    while left:
        free = [place for place, count in enumerate(counts) if count < slots[place]]
        step = max(left // len(free), 1)
        for place in free[:left]:
            taken = min(step, slots[place] - counts[place], left)
            counts[place] += taken
            left -= taken
    return counts


def _cpu(used: Sequence[tuple[Room, int]], consume: Consume) -> Decimal:
    if consume.cpu != "fit":
        return Decimal(str(consume.cpu))
    share = Decimal(str(consume.share))
    return min(room.cpu * share / count for room, count in used)


def _memory_request(used: Sequence[tuple[Room, int]], consume: Consume) -> int:
    if consume.memory != "fit":
        return int(parse_quantity(consume.memory)) // KIB * KIB + HEADROOM
    share = Decimal(str(consume.share))
    return int(min(room.memory * share / count for room, count in used)) // KIB * KIB


def _check(rooms: Sequence[Room], cpu: Decimal, memory: int, pods: int, *, fit: bool) -> None:
    asked = f"{pods} pods with {float(cpu * 1000):.3g} millicores and {memory / KIB / KIB:.3g} MiB each"
    if cpu < MILLICORE and (fit or cpu > 0):
        raise LoadError(_refusal(asked, "CPU for a millicore each", rooms))
    if memory < HEADROOM:
        raise LoadError(_refusal(asked, f"memory for the {HEADROOM // KIB // KIB} MiB that the binaries need", rooms))
    # the scheduler need not keep the even spread: what counts is that all pods have a place somewhere
    places = sum(_places(room, cpu, memory) for room in rooms if room.closed is None)
    if places < pods:
        raise LoadError(_refusal(asked, f"room: {places} of them have a place", rooms))


def _places(room: Room, cpu: Decimal, memory: int) -> int:
    by_cpu = int(room.cpu // cpu) if cpu > 0 else room.slots
    return max(min(room.slots, by_cpu, int(room.memory // memory)), 0)


def _refusal(asked: str, lack: str, rooms: Sequence[Room]) -> str:
    lines = [f"asked for {asked}; the nodes lack {lack}"]
    ordered = sorted(rooms, key=lambda room: (room.closed is not None, room.name))
    lines += [f"  {_described(room)}" for room in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        lines.append(f"  ... and {len(ordered) - SHOWN} more nodes")
    lines.append("ask for fewer or smaller pods, more or larger nodes, or mend selector and tolerations of the load")
    return "\n".join(lines)


def _described(room: Room) -> str:
    if room.closed:
        return f"{room.name}: {room.closed}"
    return f"{room.name}: left {room.slots} pods, {float(room.cpu):.3g} cores, {float(room.memory) / KIB / KIB:.6g} MiB"
