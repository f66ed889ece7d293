"""How commands secure their connection: options that every command with --collector takes."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from pivotscope.transport.files import TlsFiles

NAMES = ("--ca", "--certificate", "--key")


def _option(name: str, variable: str, text: str) -> Any:  # noqa: ANN401 - what Annotated takes
    return typer.Option(name, envvar=variable, help=text, rich_help_panel="Connection", show_default=False)


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "ca": (
        Annotated[Path | None, _option("--ca", "PIVOTSCOPE_CA", "PEM file: speak TLS, and trust who it signed.")],
        None,
    ),
    "certificate": (
        Annotated[Path | None, _option("--certificate", "PIVOTSCOPE_CERTIFICATE", "PEM file, for mutual TLS.")],
        None,
    ),
    "key": (
        Annotated[Path | None, _option("--key", "PIVOTSCOPE_KEY", "PEM file with the key of --certificate.")],
        None,
    ),
    "tls": (
        Annotated[bool, _option("--tls", "PIVOTSCOPE_TLS", "Speak TLS, and trust the system's roots.")],
        False,
    ),
    "plaintext": (
        Annotated[bool, _option("--plaintext", "PIVOTSCOPE_PLAINTEXT", "Let a token travel openly.")],
        False,
    ),
}
"""Parameters that are added to commands: annotation and default by name."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How to connect. Without `tls` a token goes to this machine only, unless `plaintext` says otherwise."""

    tls: TlsFiles | None = None
    plaintext: bool = False


_CURRENT: ContextVar[Transport | None] = ContextVar("transport", default=None)


def current() -> Transport:
    """What the options of the running command say."""
    return _CURRENT.get() or Transport()


def offer(app: typer.Typer) -> None:
    """Give the options to every command of `app`, and of the groups in it, that takes --collector."""
    for command in app.registered_commands:
        if command.callback and "collector" in inspect.signature(command.callback).parameters:
            command.callback = _offering(command.callback)
    for group in app.registered_groups:
        if group.typer_instance:
            offer(group.typer_instance)


def _offering(command: Callable[..., object]) -> Callable[..., object]:
    @wraps(command)
    def run(*arguments: object, **options: Any) -> object:  # noqa: ANN401 - the options of any command
        _CURRENT.set(_chosen(**{name: options.pop(name) for name in _OPTIONS}))
        return command(*arguments, **options)

    own = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in _OPTIONS.items()
    ]
    vars(run)["__signature__"] = own.replace(parameters=[*own.parameters.values(), *added])
    run.__annotations__ = {**command.__annotations__, **{name: kind for name, (kind, _) in _OPTIONS.items()}}
    return run


def _chosen(ca: Path | None, certificate: Path | None, key: Path | None, *, tls: bool, plaintext: bool) -> Transport:
    wanted = tls or any((ca, certificate, key))
    return Transport(TlsFiles(ca, certificate, key, names=NAMES) if wanted else None, plaintext)
