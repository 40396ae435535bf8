"""The table of chances is what its simulation gives, and is read back rightly."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_telescope.statistics import calibration
from pytest_telescope.statistics.chance import chance
from pytest_telescope.statistics.chance import gain_at
from pytest_telescope.statistics.chance import level
from pytest_telescope.statistics.simulated import remembering


@pytest.mark.parametrize("runs", [10, 30, 100])
def test_the_table_says_what_its_simulation_gives(runs: int) -> None:
    gains = calibration.step_gains(remembering(np.random.default_rng(9), 4000, runs, calibration.RHO))

    share = np.mean(gains > gain_at(0.05, runs))

    assert 0.035 <= share <= 0.065


@pytest.mark.parametrize("runs", [30, 35, 300])
def test_tail_changes_have_a_table_of_their_own(runs: int) -> None:
    gains = calibration.tail_gains(remembering(np.random.default_rng(9), 3000, runs, calibration.RHO))

    assert 0.03 <= np.mean(gains > gain_at(0.05, runs, "tail")) <= 0.07


@pytest.mark.parametrize("wanted", [0.1, 0.01, 0.002])
@pytest.mark.parametrize("runs", [6, 33, 90, 5000])
def test_a_chance_read_from_its_own_gain_is_itself(wanted: float, runs: int) -> None:
    assert chance(gain_at(wanted, runs), runs) == pytest.approx(wanted, rel=1e-6)


def test_beyond_the_table_chances_go_on_falling_and_never_reach_zero() -> None:
    far = [chance(gain, 30) for gain in (26.0, 40.0, 1e4)]

    assert far[0] > far[1] > far[2] > 0


def test_early_looks_may_raise_fewer_alarms_than_late_ones() -> None:
    assert level(10) < level(30) == 0.004 < level(60) == 0.01


def test_the_whole_table_comes_from_the_module_that_is_named_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    import yaml

    out = io.StringIO()
    monkeypatch.setattr(calibration, "LENGTHS", (6, 30))
    calibration.main(out, series=2000)

    document = yaml.safe_load(out.getvalue())
    assert document["step"][30][3] == pytest.approx(gain_at(0.05, 30), rel=0.1)
    assert set(document) == {"series", "chances", "step", "tail"}
