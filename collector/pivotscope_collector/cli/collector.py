"""`pivotscope collector`: run the collector, bring its store up to date, look at it."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from pivotscope_collector import log
from pivotscope_collector.cli.check import check_command
from pivotscope_collector.cli.migrate import migrate_command
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
PortFile = Annotated[Path | None, typer.Option("--port-file", help="Write the port here once it is open.")]
LogLevel = Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")]


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
    port_file: PortFile = None,
    log_level: LogLevel = "info",
) -> None:
    """Take agents' streams, keep plans current and answer queries until stopped with SIGTERM or Ctrl-C.

    For example:

        pivotscope collector serve --listen 0.0.0.0:4640 --token-file token --tls-certificate c.pem --tls-key c.key
    """
    from pivotscope_collector.serve import serve  # noqa: PLC0415 - brings the engine in; other commands start without

    log.set_up(log_level)
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
    )
    asyncio.run(serve(settings, port_file))


app.command("migrate")(migrate_command)
app.command("check")(check_command)


def _settings(config: Path | None, **overrides: object) -> Settings:
    return load(os.environ, config, **overrides)
