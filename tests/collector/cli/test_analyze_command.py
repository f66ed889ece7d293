"""`pivotscope analyze` and the printing of plans, as a person meets them."""

import csv
import io
import json
from pathlib import Path

import pytest
import typer
from pivotscope_collector.cli.analyze import analyze
from pivotscope_collector.cli.plan import export, show
from pivotscope_collector.errors import UsageError
from pivotscope_collector.planning.schema import validate
from pivotscope_collector.reports.table import Output
from typer.testing import CliRunner

PROFILE = Path(__file__).parent.parent / "analysis" / "profiles" / "pyspy.speedscope.json"

app = typer.Typer()
app.command()(analyze)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A codebase whose files have the names and lines of the recorded one."""
    core = tmp_path / "shop" / "core"
    core.mkdir(parents=True)
    (core.parent / "pyproject.toml").touch()
    (core.parent / "app.py").write_text(
        "\n\n\ndef handle(n):\n" + "    n += 1\n" * 6 + "\n\ndef main():\n    handle(1)\n"
    )
    (core / "sales.py").write_text(
        "import json\n\n\ndef calculate_commission(sales_data):\n" + "    pass\n" * 4 + "\n\nclass Report:\n"
        "    def render(self, rows):\n        return rows\n\n    def line(self, row):\n        return json.dumps(row)\n"
    )
    return core.parent


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_hotspots_of_a_source_file(shop: Path) -> None:
    output = run(shop / "core" / "sales.py", "--profile-data", PROFILE, "--hotspot-only")
    assert "calculate_commission" in output
    assert "core/sales.py" in output
    assert "app.py" not in output
    assert "Migration plan" not in output


def test_hotspots_as_csv_and_json(shop: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(shop, "-p", PROFILE, "--hotspot-only", "--output", "csv"))))
    assert {"function", "file", "self_share", "total_share_low"} <= set(rows[0])
    found = json.loads(run(shop, "-p", PROFILE, "--hotspot-only", "--output", "json", "--limit", "2"))
    assert len(found) == 2
    assert found[0]["total_share"] >= found[1]["total_share"]


def test_a_plan_is_written_whole(shop: Path, tmp_path: Path) -> None:
    target = tmp_path / "migration-plan.json"
    output = run(shop, "-p", PROFILE, "--plan", target)
    document = json.loads(target.read_text("utf-8"))
    validate(document)
    assert document["total_files"] == 2
    assert document["candidates"][0]["file"] == "core/sales.py"
    assert "Journey" in output
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["migration-plan.json"]


def test_json_output_is_the_plan(shop: Path) -> None:
    validate(json.loads(run(shop, "-p", PROFILE, "--output", "json")))


def test_core_hours_give_money(shop: Path) -> None:
    document = json.loads(run(shop, "-p", PROFILE, "--core-hours", "100000", "--price", "0.05", "--output", "json"))
    assert document["candidates"][0]["value"] is not None
    assert document["assumptions"]["price"] == 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--profile-data is missing"),
        (("--profile-data", str(PROFILE), "--hotspot-only", "--plan", "plan.json"), "exclude each other"),
        (("--profile-data", __file__), "not a profile that is known"),
    ],
)
def test_wrong_use_says_what_to_do(shop: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(app, [str(shop), *arguments], catch_exceptions=False)


def test_a_plan_that_cannot_be_written_leaves_nothing(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        run(shop, "-p", PROFILE, "--plan", tmp_path / "absent" / "plan.json")


def test_what_is_no_plan_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a migration plan"):
        export({"total_files": 1}, tmp_path / "plan.json")
    assert not (tmp_path / "plan.json").exists()


def test_show_prints_candidates_as_csv(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(run(shop, "-p", PROFILE, "--output", "json"))
    show(document, Output.CSV)
    assert capsys.readouterr().out.startswith("rank,file,function,")
