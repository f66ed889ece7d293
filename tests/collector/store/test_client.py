"""What every way to reach ClickHouse must do: embedded, over HTTP, and against a real server where one is named."""

import threading
from collections.abc import Mapping
from unittest.mock import Mock

import clickhouse_connect
import numpy as np
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from pivotscope_collector.errors import StoreAwayError, StoreError
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.schema import migrate

pytestmark = pytest.mark.engine

TABLE = (
    "CREATE TABLE t (at DateTime64(6, 'UTC'), id UInt64, name LowCardinality(String), many Array(UInt64)) ORDER BY id"
)


def test_columns_come_back_as_they_went_in(any_client: Client) -> None:
    any_client.command(TABLE)
    any_client.insert(
        "t",
        {
            "at": [1_767_225_600_123_456] * 2,
            "id": [2**63 + 5, 7],
            "name": ["é'\\", ""],
            "many": [[1, 2], []],
        },
    )
    found = any_client.run("SELECT toUnixTimestamp64Micro(at) AS at, id, name, many FROM t ORDER BY id")
    assert found == {
        "at": [1_767_225_600_123_456] * 2,
        "id": [7, 2**63 + 5],
        "name": ["", "é'\\"],
        "many": [[], [1, 2]],
    }


def test_parameters_are_bound_by_the_server(any_client: Client) -> None:
    found = any_client.run(
        "SELECT {text:String} AS text, {ids:Array(UInt64)} AS ids, {none:Array(UInt32)} AS none",
        {"text": "x' OR 1 = 1 --\\", "ids": [1, 2**64 - 1], "none": []},
    )
    assert found == {"text": ["x' OR 1 = 1 --\\"], "ids": [[1, 2**64 - 1]], "none": [[]]}


def test_a_server_takes_no_parameter_beyond_its_limit(http_url: str) -> None:
    client = Client(url=http_url, database="default")
    assert client.run("SELECT length({text:String}) AS n", {"text": "x" * 131_072}) == {"n": [131_072]}
    with pytest.raises(StoreError, match="Field value too long"):
        client.run("SELECT length({text:String}) AS n", {"text": "x" * 132_000})
    client.close()


def test_no_rows_are_empty_columns(any_client: Client) -> None:
    any_client.command(TABLE)
    assert any_client.run("SELECT id, name FROM t")["name"] == []


def test_an_error_is_a_store_error_that_names_the_place(any_client: Client) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        any_client.run("SELECT * FROM nowhere")
    with pytest.raises(StoreError, match="nowhere"):
        any_client.command("DROP TABLE nowhere")
    with pytest.raises(StoreError, match="nowhere"):
        any_client.insert("nowhere", {"id": [1]})


def test_threads_work_side_by_side(any_client: Client) -> None:
    any_client.command(TABLE)
    rows = {"at": [0], "id": [1], "name": ["a"], "many": [[]]}
    threads = [threading.Thread(target=any_client.insert, args=("t", rows)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any_client.run("SELECT count() AS n FROM t")["n"] == [4]


def test_a_closed_client_says_so(any_client: Client) -> None:
    twin = Client(path=any_client._path, url=any_client._url, database=any_client.database)
    assert twin.run("SELECT 1 AS one") == {"one": [1]}
    twin.close()
    with pytest.raises(StoreError, match="closed"):
        twin.run("SELECT 1")


def test_the_schema_can_be_made(any_client: Client) -> None:
    assert [migration.name for migration in migrate(any_client)][:2] == ["initial", "progress"]
    assert migrate(any_client) == []


def test_a_server_that_is_not_there_is_named() -> None:
    client = Client(url="http://user:secret@127.0.0.1:1", database="x")
    with pytest.raises(StoreAwayError, match=r"127\.0\.0\.1:1") as caught:
        client.run("SELECT 1")
    assert "secret" not in str(caught.value)


def test_only_a_cluster_is_asked_to_leave_out_replicas_that_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = {
        "max_replica_delay_for_distributed_queries": 15,
        "fallback_to_stale_replicas_for_distributed_queries": 0,
        "parallel_distributed_insert_select": 0,
    }

    def sent(cluster: str) -> tuple[str, Mapping[str, object], Mapping[str, object]]:
        """What a query, a command and an insert bring along."""
        driver = Mock()
        driver.query.return_value = Mock(column_names=[], result_columns=[])
        client = Client(url="http://127.0.0.1:1", database="d", cluster=cluster, lag_seconds=15)
        monkeypatch.setattr(client, "_driver", lambda: driver)
        monkeypatch.setattr(client, "_types", {"t": {"a": "UInt64"}})
        client.run("SELECT 1")
        client.command("INSERT INTO t SELECT 1")
        client.insert("t", {"a": [1]})
        calls = driver.query.call_args.args[0], driver.command, driver.raw_insert
        return calls[0], *(call.call_args.kwargs["settings"] for call in calls[1:])

    query, command, insert = sent("main")
    assert all(f"{name} = {value}" in query for name, value in reading.items())
    assert reading.items() <= command.items()
    # Rows go where they can, however far behind that replica is.
    assert not reading.keys() & insert.keys()
    query, command, insert = sent("")
    assert not any(name in query or name in command or name in insert for name in reading)


def test_a_server_is_asked_to_write_an_insert_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Mock()
    client = Client(url="http://127.0.0.1:1", database="d")
    monkeypatch.setattr(client, "_driver", lambda: driver)
    monkeypatch.setattr(client, "_types", {"t": {"a": "UInt64"}})
    client.insert("t", {"a": [1]})
    client.insert("t", {"a": [1]}, token="x")
    plain = {"async_insert": 0, "input_format_defaults_for_omitted_fields": 0, "max_threads": 1}
    token = {"insert_deduplicate": 1, "insert_deduplication_token": "x"}
    assert [call.kwargs["settings"] for call in driver.raw_insert.call_args_list] == [plain, plain | token]


@pytest.mark.parametrize("asked", ["run", "blocks", "command"])
def test_what_a_failed_statement_had_put_out_is_in_no_other_answer(any_client: Client, asked: str) -> None:
    for _ in range(4):
        with pytest.raises(StoreError):
            any_client.blocks("SELECT toUInt32(number) AS a FROM numbers(3000000) WHERE throwIf(number = 2999999) = 0")
        if asked == "run":
            assert any_client.run("SELECT toUInt32(7) AS a") == {"a": [7]}
        elif asked == "blocks":
            assert np.asarray(any_client.arrays("SELECT toUInt32(7) AS a")["a"]).tolist() == [7]
        else:
            any_client.command("CREATE TABLE IF NOT EXISTS u (a UInt8) ORDER BY a")


def test_a_server_that_is_away_is_told_from_one_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Mock()
    client = Client(url="http://127.0.0.1:1", database="d")
    monkeypatch.setattr(client, "_driver", lambda: driver)
    monkeypatch.setattr(client, "_types", {"t": {"a": "UInt64"}})
    for error, kind in ((OperationalError("read timed out"), StoreAwayError), (DatabaseError("no"), StoreError)):
        driver.raw_insert.side_effect = driver.query.side_effect = error
        for call in (lambda: client.insert("t", {"a": [1]}), lambda: client.run("SELECT 1")):
            with pytest.raises(StoreError) as caught:
                call()
            assert type(caught.value) is kind


def test_a_server_is_waited_for_as_long_as_it_may_be_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Mock()
    monkeypatch.setattr(clickhouse_connect, "get_client", connect)
    Client(url="http://127.0.0.1:1", database="d", silence_seconds=44.5).command("SELECT 1")
    assert connect.call_args.kwargs["send_receive_timeout"] == 45
