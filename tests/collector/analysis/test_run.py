"""Whole analyses of profiles that the tools wrote."""

import pstats
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pivotscope.profile.function import Owner
from pivotscope_collector.analysis.run import Analysis, analyse
from pivotscope_collector.errors import UsageError
from pivotscope_collector.planning import plan
from pivotscope_collector.scoring.evidence import FunctionEvidence
from pivotscope_collector.scoring.rank import rank
from pivotscope_collector.scoring.settings import ScoringSettings


def own_functions(analysis: Analysis) -> dict[str, FunctionEvidence]:
    (service,) = analysis.evidence.services
    return {
        entry.function.qualified_name: entry
        for entry in service.functions
        if entry.function.owner is Owner.APPLICATION and entry.function.qualified_name[0] != "<"
    }


@pytest.mark.parametrize("file", ["pyspy.raw", "pyspy.speedscope.json"])
def test_python_samples(shop: Path, profiles: Path, file: str) -> None:
    analysis = analyse([shop], [profiles / file])
    found = own_functions(analysis)
    assert set(found) == {"main", "handle", "calculate_commission", "Report.render", "Report.line"}
    commission = found["calculate_commission"]
    assert 0.2 < commission.total_share.estimate < 0.5
    assert commission.self_share == commission.total_share
    assert commission.facts is not None
    assert commission.facts.loops == 1
    assert not commission.native_known
    assert found["Report.render"].total_share.estimate > found["Report.line"].total_share.estimate
    assert not commission.total_share.insufficient


@pytest.mark.parametrize("file", ["rbspy.collapsed", "rbspy.pprof"])
def test_ruby_samples(shop: Path, profiles: Path, file: str) -> None:
    found = own_functions(analyse([shop], [profiles / file]))
    assert set(found) == {"Object#main", "Shop::Report.build", "Shop::Report#call", "Shop::Report#calculate_commission"}
    commission = found["Shop::Report#calculate_commission"]
    assert 0.5 < commission.total_share.estimate < 0.8
    assert commission.native_known


def test_cprofile(shop: Path) -> None:
    subprocess.run([sys.executable, "-m", "cProfile", "-o", "app.prof", "app.py"], cwd=shop, check=True)
    analysis = analyse([shop], [shop / "app.prof"])
    found = own_functions(analysis)
    commission = found["calculate_commission"]
    (service,) = analysis.evidence.services
    assert service.core_hours_per_year is None
    assert commission.calls is not None
    assert commission.calls * service.observed_seconds == pytest.approx(60.0)
    # How long each part took is the machine's affair; what the profile says of it is not.
    whole, taken = _cumulative(shop / "app.prof")
    for name in ("main", "handle", "calculate_commission"):
        assert found[name].total_share.estimate == pytest.approx(taken[name] / whole, abs=0.01)
    assert any("overhead" in note for note in analysis.notes)
    for entry in found.values():
        expected = entry.total_share.estimate * (1.0 - entry.native)
        assert sum(entry.beneath.values()) == pytest.approx(expected, rel=1e-3)


def _cumulative(file: Path) -> tuple[float, dict[str, float]]:
    """Seconds of a profile in all and beneath each function by name, as the standard library reads them."""
    stats: Any = pstats.Stats(str(file))
    return stats.total_tt, {name: cumulative for (_, _, name), (_, _, _, cumulative, _) in stats.stats.items()}


@pytest.mark.ruby_target
@pytest.mark.parametrize("printer", ["flat", "graph"])
def test_ruby_prof(shop: Path, printer: str) -> None:
    program = shutil.which("ruby-prof")
    if program is None:
        pytest.skip("ruby-prof is not installed")
    text = subprocess.run(
        [program, "-p", printer, "report.rb", "--", "20"], cwd=shop, check=True, capture_output=True, text=True
    ).stdout
    (shop / "profile.txt").write_text(text, "utf-8")
    analysis = analyse([shop], [shop / "profile.txt"])
    found = own_functions(analysis)
    assert "Shop::Report#calculate_commission" in found
    assert any("wall time" in note for note in analysis.notes)
    assert any("who calls whom" in note for note in analysis.notes) == (printer == "flat")
    if printer == "graph":
        assert found["Shop::Report#calculate_commission"].self_share.estimate > 0.5


def test_a_file_narrows_the_answer(shop: Path, profiles: Path) -> None:
    analysis = analyse([shop / "core" / "sales.py"], [profiles / "pyspy.raw"])
    assert analysis.files == {("shop", "core/sales.py")}
    assert analysis.evidence.codebases[0].total_files == 2


def test_two_languages_are_two_services(shop: Path, profiles: Path) -> None:
    evidence = analyse([shop], [profiles / "pyspy.raw", profiles / "rbspy.pprof"], "web").evidence
    assert [(entry.service, entry.language.value) for entry in evidence.services] == [
        ("web", "python"),
        ("web", "ruby"),
    ]
    assert evidence.codebases[0].total_files == 3


def test_sampled_and_timed_are_not_added_up(shop: Path, profiles: Path) -> None:
    subprocess.run([sys.executable, "-m", "cProfile", "-o", "app.prof", "app.py"], cwd=shop, check=True)
    with pytest.raises(UsageError, match="cannot be added up"):
        analyse([shop], [shop / "app.prof", profiles / "pyspy.raw"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"hello world\n", "begins with 'hello world'"),
        (b"\x1f\x8bnot gzip", "gzip"),
        (b"{}", "speedscope"),
    ],
)
def test_a_broken_profile_is_named(shop: Path, tmp_path: Path, content: bytes, message: str) -> None:
    broken = tmp_path / "broken.prof"
    broken.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        analyse([shop], [broken])
    assert str(broken) in str(caught.value)


def test_missing_files_are_named(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.prof: No such file"):
        analyse([shop], [tmp_path / "absent.prof"])
    with pytest.raises(UsageError, match="no such file or folder"):
        analyse([tmp_path / "absent"], [tmp_path / "absent.prof"])


def test_a_folder_that_the_profile_is_not_about(tmp_path: Path, profiles: Path) -> None:
    analysis = analyse([tmp_path], [profiles / "pyspy.raw"])
    assert analysis.evidence.services == ()
    assert any("no function of the profiles" in note for note in analysis.notes)


def test_unreadable_source_falls_back_to_the_tools_names(shop: Path, profiles: Path) -> None:
    (shop / "core" / "sales.py").write_text("def (", "utf-8")
    analysis = analyse([shop], [profiles / "pyspy.speedscope.json"])
    assert own_functions(analysis)["calculate_commission"].facts is None
    assert any(note.startswith("core/sales.py: named by the profiler") for note in analysis.notes)


def test_core_hours_of_the_user_give_money(shop: Path, profiles: Path) -> None:
    evidence = analyse([shop], [profiles / "pyspy.raw"], core_hours=100_000.0).evidence
    settings = ScoringSettings()
    document = plan.build(evidence, rank(evidence, settings), settings, 0)
    assert document["candidates"][0]["value"] is not None


@pytest.mark.parametrize("file", ["pyspy.raw", "rbspy.collapsed"])
def test_a_plan_without_a_server(shop: Path, profiles: Path, file: str) -> None:
    evidence = analyse([shop], [profiles / file]).evidence
    settings = ScoringSettings()
    document = plan.build(evidence, rank(evidence, settings), settings, 0)
    first = document["candidates"][0]
    assert first["file"] in {"core/sales.py", "report.rb"}
    assert first["value"] is None
    assert first["estimated_speedup"] > 1.0
    assert document["phases"][0]["files"] == 1
