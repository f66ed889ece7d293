"""Bytes that agents of the first version sent. They must read the same for ever.

To add messages of a newer version, add a file; never write one of these anew.
"""

import json
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from pivotscope.v1 import agent_pb2 as pb

GOLDEN = Path(__file__).parent / "golden"
MESSAGES: dict[str, type[Message]] = {
    "hello": pb.StreamRequest,
    "definitions": pb.StreamRequest,
    "batch": pb.StreamRequest,
    "welcome": pb.StreamResponse,
    "ack": pb.StreamResponse,
    "rejection": pb.StreamResponse,
    "control": pb.StreamResponse,
}


@pytest.mark.parametrize("name", MESSAGES)
def test_todays_reading_of_the_first_versions_bytes(name: str) -> None:
    message = MESSAGES[name].FromString((GOLDEN / f"v1-{name}.bin").read_bytes())
    expected = json.loads((GOLDEN / f"v1-{name}.json").read_text("utf-8"))
    assert MessageToDict(message, preserving_proto_field_name=True) == expected


@pytest.mark.parametrize("name", MESSAGES)
def test_todays_writing_is_what_the_first_version_reads(name: str) -> None:
    data = (GOLDEN / f"v1-{name}.bin").read_bytes()
    message = MESSAGES[name].FromString(data)
    assert message.SerializeToString(deterministic=True) == data
    assert message.WhichOneof("message") == name
