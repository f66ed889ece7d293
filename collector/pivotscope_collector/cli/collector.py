"""`pivotscope collector`: run the collector, bring its store up to date, look at it."""

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector import log
from pivotscope_collector.cli import options
from pivotscope_collector.cli.backup import backup_command, restore_command
from pivotscope_collector.cli.check import check_command
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask_admin
from pivotscope_collector.cli.format import moment
from pivotscope_collector.cli.migrate import migrate_command
from pivotscope_collector.cli.when import parse_when
from pivotscope_collector.reports.table import Column, Output, Table, write
from pivotscope_collector.settings import Settings, load

app = typer.Typer(no_args_is_help=True, help="Run the collector and look after its store.")

Config = Annotated[Path | None, typer.Option("--config", help="TOML file; PIVOTSCOPE_* variables override it.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded store.")]
Url = Annotated[str | None, typer.Option("--clickhouse-url", help="A ClickHouse server instead: http(s)://HOST:PORT.")]
Listen = Annotated[str | None, typer.Option("--listen", help="HOST:PORT; port 0 takes a free one.")]
Token = Annotated[Path | None, typer.Option("--token-file", help="File with the token that every caller must send.")]
Certificate = Annotated[Path | None, typer.Option("--tls-certificate", help="PEM file: speak TLS with it.")]
Key = Annotated[Path | None, typer.Option("--tls-key", help="PEM file with the certificate's key.")]
ClientCa = Annotated[Path | None, typer.Option("--tls-client-ca", help="Callers need a certificate that it signed.")]
Plaintext = Annotated[
    bool | None, typer.Option("--allow-plaintext", help="Other machines may connect without TLS: tokens travel openly.")
]
HttpListen = Annotated[
    str | None, typer.Option("--http-listen", help="HOST:PORT, or a port of this machine, for /metrics and /readyz.")
]
LogFormat = Annotated[str | None, typer.Option("--log-format", help="text or json.")]
PortFile = Annotated[Path | None, typer.Option("--port-file", help="Write the port here once it is open.")]
LogLevel = Annotated[log.Level, typer.Option("--log-level", help="From which level on lines are logged.")]
CALLS = (
    Column("when", "when"),
    Column("token", "token"),
    Column("peer", "from"),
    Column("method", "method"),
    Column("request", "request"),
    Column("outcome", "outcome"),
)


@app.callback()
def collector() -> None:
    """Run the collector and look after its store."""


@app.command("serve")
def serve_command(
    *,
    config: Config = None,
    listen: Listen = None,
    data_dir: DataDir = None,
    clickhouse_url: Url = None,
    token_file: Token = None,
    tls_certificate: Certificate = None,
    tls_key: Key = None,
    tls_client_ca: ClientCa = None,
    allow_plaintext: Plaintext = None,
    http_listen: HttpListen = None,
    port_file: PortFile = None,
    log_level: LogLevel = log.Level.INFO,
    log_format: LogFormat = None,
) -> None:
    """Take agents' streams, keep plans current and answer queries until stopped with SIGTERM or Ctrl-C.

    What was taken is stored before it ends; a second signal ends it at once, and then agents send that again.

    For example:

        pivotscope collector serve --listen 0.0.0.0:4640 --token-file token --tls-certificate c.pem --tls-key c.key
    """
    from pivotscope_collector.serve import serve  # noqa: PLC0415 - brings the engine in; other commands start without

    settings = _settings(
        config,
        listen=listen,
        data_dir=data_dir,
        clickhouse_url=clickhouse_url,
        token_file=token_file,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        allow_plaintext=allow_plaintext,
        http_listen=http_listen,
        log_format=log_format,
    )
    log.set_up(log_level, settings.log_format)
    asyncio.run(serve(settings, port_file))


app.command("migrate")(migrate_command)
app.command("check")(check_command)
app.command("backup")(backup_command)
app.command("restore")(restore_command)


@app.command("audit")
def audit_command(
    *,
    since: options.Since = "7d",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="Calls to print.")] = 100,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Who administered a running collector: every call of its admin service, newest first.

    For example:

        pivotscope collector audit --since 30d --output csv
    """
    request = query_pb2.ListAuditRequest(since_unix_ns=parse_when(since, time.time_ns()), limit=limit)
    answer = ask_admin(
        collector, token_file, lambda stub, call: stub.ListAudit(request, metadata=call.metadata, timeout=call.timeout)
    )
    rows = [
        {
            "when": moment(entry.unix_ns),
            "token": entry.token_name,
            "token_id": entry.token_id,
            "peer": entry.peer,
            "method": entry.method,
            "request": entry.request,
            "outcome": entry.outcome,
        }
        for entry in answer.entries
    ]
    write(Table(CALLS, rows), output)


def _settings(config: Path | None, **overrides: object) -> Settings:
    return load(os.environ, config, **overrides)
