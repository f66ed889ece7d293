"""Few runs of what `python -m tests.truth --only governed` does in many; seeds are fixed, no chance is involved."""

from dataclasses import replace

import pytest

from tests.truth.governed import SCENES, Scene, simulate
from tests.truth.sums import estimate

RUNS = 12
ALONE = SCENES[:3]


@pytest.mark.parametrize("scene", ALONE, ids=lambda scene: scene.name)
def test_choosing_by_load_does_not_bend_shares(scene: Scene) -> None:
    seen = simulate(scene, RUNS)
    assert abs(seen.bias) < 0.02
    assert seen.covered >= 0.9


def test_without_the_time_left_out_pauses_would_bend_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tests.truth.governed.estimate", lambda windows: estimate([replace(one, left_out_ns=0) for one in windows])
    )
    assert simulate(ALONE[2], RUNS).bias < -0.05


def test_scenes_have_what_they_are_about() -> None:
    assert simulate(ALONE[0], 2).sampled > 0.95
    assert simulate(ALONE[1], 2).sampled < 0.8
