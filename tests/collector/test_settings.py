from pathlib import Path

import pytest
from pivotscope_collector.errors import UsageError
from pivotscope_collector.settings import NameBounds, QueryLimits, Retention, Settings, load, split_listen


def test_the_environment_goes_over_the_file_and_arguments_over_both(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text('listen = "127.0.0.1:1"\ndata_dir = "file"\nplan_seconds = 7\n[retention]\nraw_days = 3\n')
    environment = {
        "PIVOTSCOPE_DATA_DIR": "environment",
        "PIVOTSCOPE_RETENTION_MINUTE_DAYS": "30",
        "PIVOTSCOPE_FSYNC": "yes",
    }
    settings = load(environment, file, listen="127.0.0.1:2", token_file=None)
    assert settings.listen == "127.0.0.1:2"
    assert settings.data_dir == "environment"
    assert settings.plan_seconds == 7.0
    assert settings.fsync
    assert settings.retention == Retention(raw_days=3, minute_days=30)


def test_tables_have_variables_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text("[scoring]\nprice = 0.05\nfleet = 10\n[retention]\nraw_days = 3\n")
    settings = load({"PIVOTSCOPE_SCORING_FLEET": "400"}, file)
    assert (settings.scoring.price, settings.scoring.fleet, settings.retention.raw_days) == (0.05, 400.0, 3)
    assert load({"PIVOTSCOPE_NAMES_STACKS": "7"}).names == NameBounds(stacks=7)


def test_other_variables_are_not_ours() -> None:
    assert load({"PIVOTSCOPE_TOKEN": "x", "HOME": "/"}) == Settings()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PIVOTSCOPE_LISTEN": "nowhere"}, "listen='nowhere': expected host:port"),
        ({"PIVOTSCOPE_LISTEN": "h:70000"}, "listen='h:70000'"),
        ({"PIVOTSCOPE_COMMIT_ROWS": "many"}, "commit_rows='many': expected a whole number"),
        ({"PIVOTSCOPE_COMMIT_MB": "0"}, "commit_mb=0: expected megabytes above 0"),
        ({"PIVOTSCOPE_COMMIT_SECONDS": "nan"}, "commit_seconds=nan: expected a number above 0"),
        ({"PIVOTSCOPE_NAMES_SERIES": "0"}, "names.series=0: expected names a day, above 0"),
        ({"PIVOTSCOPE_FSYNC": "perhaps"}, "fsync='perhaps': expected true or false"),
        ({"PIVOTSCOPE_RETENTION_RAW_DAYS": "900"}, "raw_days=900"),
        ({"PIVOTSCOPE_CLICKHOUSE_DATABASE": "a`b"}, "clickhouse_database='a`b'"),
    ],
)
def test_an_error_names_key_value_and_form(environment: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(environment)
    assert said in str(caught.value)


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    with pytest.raises(UsageError, match="No such file"):
        load({}, file)
    file.write_text("listen =")
    with pytest.raises(UsageError, match="not a TOML file"):
        load({}, file)
    file.write_text('adress = "x"')
    with pytest.raises(UsageError, match="unknown setting adress; known are listen"):
        load({}, file)


def test_passwords_are_not_shown() -> None:
    assert "hidden" not in repr(Settings(clickhouse_password="hidden"))


def test_who_can_connect() -> None:
    assert Settings(listen="[::1]:0").loopback
    assert not Settings(listen="0.0.0.0:4640").loopback
    assert split_listen("[::]:5") == ("[::]", 5)


def test_a_server_may_be_silent_for_twice_what_it_may_take() -> None:
    assert Settings().silence_seconds == 60.0
    assert Settings(query=QueryLimits(seconds=200.0)).silence_seconds == 400.0
    assert Settings(rollup_margin_seconds=90.0).silence_seconds == 180.0
    assert Settings(query=QueryLimits(seconds=1.0), rollup_margin_seconds=1.0).silence_seconds == 30.0
