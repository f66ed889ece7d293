"""Blocks of numbers, as the engine reads and writes them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pivotscope_collector.errors import StoreError
from pivotscope_collector.store.client import Client
from pivotscope_collector.store.native import Coded, Column, Ragged, code, decode, encode, texts

TYPES = {"id": "UInt64", "at": "DateTime64(6, 'UTC')", "share": "Float32", "many": "Array(UInt32)"}


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=5), min_size=1, max_size=20))
def test_what_is_encoded_can_be_decoded(rows: list[list[int]]) -> None:
    ids = np.arange(len(rows), dtype=np.uint64) + np.uint64(2**64 - 100)
    columns: dict[str, Column] = {
        "id": ids,
        "at": [-1] * len(rows),
        "share": np.full(len(rows), 0.5),
        "many": rows,
    }
    block = encode(columns, TYPES)
    found = decode(block + block)
    assert np.asarray(found["id"]).tolist() == ids.tolist() * 2
    assert np.asarray(found["at"]).tolist() == [-1] * 2 * len(rows)
    many = found["many"]
    assert isinstance(many, Ragged)
    parts = np.split(many.values, many.ends.astype(np.int64)[:-1])
    assert [part.tolist() for part in parts] == rows * 2


def test_nothing_is_no_columns() -> None:
    assert decode(b"") == {}


@pytest.mark.parametrize("kind", ["Nullable(UInt8)", "Array(UUID)", "LowCardinality(UInt8)", ""])
def test_other_types_are_refused(kind: str) -> None:
    with pytest.raises(TypeError, match="a column of type"):
        encode({"one": [[1]]}, {"one": kind})


@pytest.mark.parametrize("many", [3, 300, 70_000])
def test_texts_are_numbers_of_texts(many: int) -> None:
    texts = [f"é{number}" for number in range(many)]
    coded = code([*texts, *texts])
    assert list(coded.keys) == texts
    assert coded.codes.tolist() == [*range(many), *range(many)]


@pytest.mark.engine
@pytest.mark.parametrize("many", [3, 300, 70_000])
def test_the_engine_reads_every_kind(any_client: Client, many: int) -> None:
    any_client.command(
        "CREATE TABLE n (id UInt64, name LowCardinality(String), text String, share Float32, ids Array(UInt64)) "
        "ORDER BY id"
    )
    number = np.arange(many, dtype=np.uint64)
    columns: dict[str, Column] = {
        "id": number,
        "name": Coded([f"name-{one}" for one in range(many)], number),
        "text": [f"t'\\{one}" for one in range(many)],
        "share": number / 4,
        "ids": Ragged(number + np.uint64(1), number),
    }
    any_client.insert("n", columns)
    odd = any_client.run(
        "SELECT count() AS n FROM n WHERE name != concat('name-', toString(id)) OR share != id / 4 OR ids != [id] "
        "OR text != concat('t\\'\\\\', toString(id))"
    )
    assert odd["n"] == [0]
    found = any_client.arrays("SELECT id, ids FROM n WHERE id < {below:UInt64} ORDER BY id", {"below": 2})
    assert np.asarray(found["id"]).tolist() == [0, 1]
    assert isinstance(found["ids"], Ragged)
    assert found["ids"].values.tolist() == [0, 1]
    assert any_client.arrays("SELECT id FROM n WHERE id > 1000000") == {}
    named = any_client.blocks("SELECT name, text FROM n ORDER BY id")
    assert texts(named["name"]) == [f"name-{one}" for one in range(many)]
    assert texts(named["text"]) == [f"t'\\{one}" for one in range(many)]
    with pytest.raises(TypeError, match="Coded for a column of numbers"):
        any_client.arrays("SELECT name FROM n")


@pytest.mark.engine
def test_the_engine_reads_arrays_and_maps_of_texts(any_client: Client) -> None:
    any_client.command(
        "CREATE TABLE m (id UInt64, names Array(LowCardinality(String)), texts Array(String), "
        "counts Map(LowCardinality(String), UInt64), labels Map(LowCardinality(String), String)) ORDER BY id"
    )
    columns: dict[str, list[Any]] = {
        "id": [1, 2, 3],
        "names": [["a", "b", "a"], [], ["é"]],
        "texts": [[], ["x'", ""], ["y"]],
        "counts": [{"full": 2**64 - 1, "late": 0}, {}, {"full": 1}],
        "labels": [{}, {"path": "/a", "code": "200"}, {}],
    }
    any_client.insert("m", columns)
    nothing: dict[str, list[Any]] = {"id": [4], "names": [[]], "texts": [[]], "counts": [{}], "labels": [{}]}
    any_client.insert("m", nothing)
    found = any_client.run("SELECT * FROM m ORDER BY id")
    assert found == {name: [*values, *nothing[name]] for name, values in columns.items()}


@pytest.mark.engine
def test_what_does_not_fit_the_table_is_said(any_client: Client) -> None:
    with pytest.raises(StoreError, match=r"insert into nowhere: it has no id, name"):
        any_client.insert("nowhere", {"name": ["a"], "id": [1]})
    any_client.command("CREATE TABLE nowhere (id UInt64) ORDER BY id")
    any_client.insert("nowhere", {"id": [1]})
    assert any_client.run("SELECT id FROM nowhere")["id"] == [1]
