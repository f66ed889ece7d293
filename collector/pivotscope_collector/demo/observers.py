"""The demo's collector and agent, and the public commands that are asked about them."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivotscope_collector.demo.processes import Processes, wait_until
from pivotscope_collector.demo.services import Service, search_path
from pivotscope_collector.errors import PivotscopeError

START_SECONDS = 60.0
WINDOW_SECONDS = 5
RATE_HZ = 50
FLEET = 400
"""The plan is made as if this many such machines ran the services: two cores would never pay a migration back."""
SERIES = (
    ("shop_report_seconds", "latency", "seconds"),
    ("shop_reports_total", "requests", "requests"),
    ("shop_report_errors_total", "errors", "errors"),
    ("shop_validations_total", "validations", "checks"),
    ("shop_validation_failures_total", "validation_failures", "checks"),
    ("shop_revenue_dollars_total", "revenue", "dollars"),
    ("shop_orders_total", "engagement", "orders"),
)


@dataclass(frozen=True, slots=True)
class Observers:
    """A running collector, with an agent that streams to it. `rollup_seconds` bounds how old an answer can be."""

    address: str

    def show(self, *arguments: str) -> None:
        """Run a `pivotscope` command; what it prints goes where our own output goes."""
        self._check(arguments, subprocess.run(self._command(arguments), check=False).returncode, "")

    def ask(self, *arguments: str) -> Any:  # noqa: ANN401 - a JSON document
        """Run a `pivotscope` command with `--output json`; the document."""
        command = self._command((*arguments, "--output", "json"))
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        self._check(arguments, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        sys.stdout.flush()
        return [own_command("pivotscope"), *arguments, "--collector", self.address]

    @staticmethod
    def _check(arguments: tuple[str, ...], status: int, said: str) -> None:
        if status not in {0, 1}:
            raise PivotscopeError(f"pivotscope {' '.join(arguments)} ended with {status}: {said.strip()}")


def start_observers(processes: Processes, work: Path, shops: list[Service], *, keep: bool) -> Observers:
    """Start a collector with an embedded store, and one agent that samples the services."""
    port_file = work / "collector.port"
    command = [own_command("pivotscope"), "collector", "serve", "--listen", "127.0.0.1:0"]
    command += ["--data-dir", str(work / "data"), "--port-file", str(port_file)]
    processes.start(
        "collector", command, {"PIVOTSCOPE_PLAN_SECONDS": "5", "PIVOTSCOPE_SCORING_FLEET": str(FLEET)}, work, keep=keep
    )
    wait_until(port_file.exists, START_SECONDS, "the collector", processes)
    address = f"127.0.0.1:{port_file.read_text('ascii').strip()}"
    config = work / "agent.toml"
    config.write_text(agent_config(address, work / "spool", shops), "utf-8")
    command = [own_command("pivotscope-agent"), "run", "--config", str(config)]
    processes.start("agent", command, {"PATH": search_path()}, work, keep=keep)
    return Observers(address)


def agent_config(address: str, spool: Path, shops: list[Service]) -> str:
    """The agent's configuration. Windows are short and the rate is high, because the demo has minutes, not days."""
    parts = [
        f"[collector]\naddress = {json.dumps(address)}\n",
        f"[spool]\nfolder = {json.dumps(str(spool))}\n",
        f"[sampling]\nwindow_seconds = {WINDOW_SECONDS}\nrate_hz = {RATE_HZ}\n",
        "[budget]\ntarget_cpu = 0.5\nhost_cpu = 0.5\nstopped = 0.1\n",
        "[metrics]\ninterval_seconds = 2\n",
    ]
    parts += [_endpoint(shop) for shop in shops]
    parts += [f'[[select]]\nenv = "OTEL_SERVICE_NAME={shop.name}"\n' for shop in shops]
    return "\n".join(parts)


def own_command(name: str) -> str:
    """Path of one of our commands: beside this interpreter, else on PATH."""
    found = shutil.which(name, path=search_path())
    if found is None:
        raise PivotscopeError(f"{name} is not installed beside {sys.executable}; `make setup` installs it")
    return os.fspath(found)


def _endpoint(shop: Service) -> str:
    lines = [
        "[[metrics.endpoint]]",
        f'service = "{shop.name}"',
        f'url = "{shop.url}/metrics"',
        'variant_label = "variant"',
        "aggregated = true",
    ]
    for name, role, unit in SERIES:
        lines += ["[[metrics.endpoint.series]]", f'name = "{name}"', f'role = "{role}"', f'unit = "{unit}"']
    return "\n".join(lines) + "\n"
