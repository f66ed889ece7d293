"""What a process belongs to: service, version, environment, variant, instance, codebase."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import PurePosixPath
from urllib.parse import unquote

from pivotscope_agent.targets.selector import Labels

_RESOURCE_ATTRIBUTES = {
    "service": ("service.name",),
    "version": ("service.version",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "variant": ("variant",),
    "instance": ("service.instance.id",),
}
_LAUNCHERS = frozenset({"env", "exec", "bundle", "poetry", "uv", "pipenv", "run", "nohup", "nice", "ddtrace-run"})
_OPTIONS_WITH_VALUE = {"python": frozenset({"-W", "-X"}), "ruby": frozenset({"-I", "-r", "-C", "-E"})}


def identify(configured: Labels, environ: Mapping[str, str], cmdline: tuple[str, ...], host: str) -> Labels:
    """Name a process.

    The configuration wins over PIVOTSCOPE_* variables, those over OTEL_SERVICE_NAME, that over
    OTEL_RESOURCE_ATTRIBUTES. A service nobody named is called after its program; a codebase nobody
    named is the service's; an instance nobody named is the host's.
    """
    resource = resource_attributes(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    found: dict[str, str] = {}
    for name in (field.name for field in fields(Labels)):
        attributes = (resource.get(key, "") for key in _RESOURCE_ATTRIBUTES.get(name, ()))
        standard = environ.get("OTEL_SERVICE_NAME", "") if name == "service" else ""
        sources = (getattr(configured, name), environ.get(f"PIVOTSCOPE_{name.upper()}", ""), standard, *attributes)
        found[name] = next((value.strip() for value in sources if value.strip()), "")
    service = found["service"] or program_name(cmdline)
    return Labels(
        service=service,
        environment=found["environment"],
        version=found["version"],
        variant=found["variant"],
        instance=found["instance"] or host,
        codebase=found["codebase"] or service,
        root=found["root"],
    )


def resource_attributes(text: str) -> dict[str, str]:
    """Read OTEL_RESOURCE_ATTRIBUTES: comma-separated key=value, percent-encoded.

    Source: OpenTelemetry specification, Resource SDK. Parts that are not of this form are left out.
    """
    pairs = (part.partition("=") for part in text.split(","))
    return {unquote(key.strip()): unquote(value.strip()) for key, sign, value in pairs if sign and key.strip()}


def program_name(cmdline: tuple[str, ...]) -> str:
    """What a person would call the program: the script, the module, or the executable, without folder and ending.

    `python -m shop.web`, `/srv/shop/web.py` and `bundle exec puma` are shop.web, web and puma.
    """
    # Servers rename themselves: "puma 5.6.5 (tcp://0.0.0.0:9292) [shop]" is one argument.
    arguments = list(cmdline) if len(cmdline) != 1 else cmdline[0].split()
    interpreter = ""
    while arguments:
        argument = arguments.pop(0)
        name = PurePosixPath(argument.rstrip(":")).name
        if name.startswith(("python", "ruby")):
            interpreter = "python" if name.startswith("python") else "ruby"
        elif interpreter and argument.startswith("-"):
            if argument == "-m" and arguments:
                return arguments[0]
            if argument in {"-c", "-e"}:
                return interpreter
            if argument in _OPTIONS_WITH_VALUE[interpreter] and arguments:
                arguments.pop(0)
        elif name and name not in _LAUNCHERS and not argument.startswith("-") and "=" not in argument:
            return PurePosixPath(name).stem if PurePosixPath(name).suffix in {".py", ".rb", ".ru"} else name
    return interpreter or "unknown"
