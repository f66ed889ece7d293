import tomllib

import pytest
from pivotscope.profile.metric import MetricRole
from pivotscope_agent.errors import SettingsError
from pivotscope_agent.metrics import config
from pivotscope_agent.metrics.config import MetricsSettings, from_table

SERIES = {"name": "seconds", "role": "latency"}


def endpoint(**changes: object) -> dict[str, object]:
    return {"endpoint": [{"port": 80, "series": [SERIES]} | changes]}


def test_the_documented_example_is_valid() -> None:
    text = (config.__doc__ or "").split("\n\n", 1)[1]
    settings = from_table(tomllib.loads(text)["metrics"])
    (rule,) = settings.endpoints
    assert rule.url == "http://127.0.0.1:{port}/metrics"
    assert rule.port == 8000
    (series,) = rule.series
    assert series.role is MetricRole.LATENCY
    assert series.selector == 'shop_request_seconds{status=~"5.."}'


def test_nothing_configured_reads_nothing() -> None:
    assert from_table({}) == MetricsSettings()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"interval_seconds": 0}, r"metrics\.interval_seconds = 0: expected a number from 1 to 3600"),
        ({"interval_seconds": True}, r"metrics\.interval_seconds = True: expected a number"),
        ({"intervall": 3}, r"metrics\.intervall = 3: no such setting"),
        ({"endpoint": {}}, r"metrics\.endpoint = \{\}: expected tables: \[\[metrics\.endpoint\]\]"),
        (endpoint(series=[]), r"metrics\.endpoint\[0\]\.series = \[\]: expected at least one"),
        (endpoint(series=[SERIES, SERIES]), r"metrics\.endpoint\[0\]\.series = 'seconds': expected each name"),
        (endpoint(url="ftp://x"), r"metrics\.endpoint\[0\]\.url = 'ftp://x': expected http://"),
        (endpoint(url="http://{nope}/"), r"placeholders only of \{host\}, \{instance\}, \{pid\}, \{port\}"),
        (endpoint(url="http://{"), r"metrics\.endpoint\[0\]\.url"),
        (endpoint(port=0), r"metrics\.endpoint\[0\]\.port = 0: expected a port from 1"),
        (endpoint(port=70_000), r"metrics\.endpoint\[0\]\.port = 70000"),
        (endpoint(aggregated="yes"), r"metrics\.endpoint\[0\]\.aggregated = 'yes': expected true or false"),
        (endpoint(variant_label="a-b"), r"variant_label = 'a-b': expected a label name"),
        (endpoint(series=[{"role": "latency"}]), r"series\[0\]\.name = None: expected a metric name"),
        (endpoint(series=[SERIES | {"role": "speed"}]), r"series\[0\]\.role = 'speed': expected one of engagement"),
        (endpoint(series=[SERIES | {"labels": ["a b"]}]), r"series\[0\]\.labels = \['a b'\]: expected a list"),
        (endpoint(series=[SERIES | {"match": {"a": "("}}]), r"series\[0\]\.match\.a = '\(': expected a regular"),
        (endpoint(series=[SERIES | {"match": 3}]), r"series\[0\]\.match = 3: expected a table"),
        (endpoint(series=[SERIES | {"units": "s"}]), r"series\[0\]\.units = 's': no such setting"),
    ],
)
def test_an_error_names_key_value_and_form(table: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        from_table(table)
