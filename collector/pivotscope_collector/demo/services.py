"""The demo's two services: how each is started, reached, and told which share gets native code."""

import json
import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from pivotscope_collector.demo.natives import Native, app_folder
from pivotscope_collector.demo.processes import Processes, wait_until

START_SECONDS = 30.0
VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Service:
    """One running service. `function` is its hot function, `vessel` the wrapper of the native one."""

    name: str
    language: str
    port: int
    pid: int
    rollout: Path
    function: str
    vessel: str
    native: Native
    requests_per_second: float

    @property
    def url(self) -> str:
        """Where the service listens."""
        return f"http://127.0.0.1:{self.port}"

    def send_share(self, share: float) -> None:
        """Have the service give this share of its users the native implementation, from the next request on."""
        draft = self.rollout.with_suffix(".tmp")
        draft.write_text(json.dumps({"share": share, "salt": "commission-2"}), "utf-8")
        draft.replace(self.rollout)


def start_python(processes: Processes, work: Path, native: Native, *, keep: bool = False) -> Service:
    """Start the Flask shop under gunicorn, two workers, with metrics gathered over both."""
    port = free_port()
    folder = app_folder("shop_python")
    metrics = work / "prometheus"
    metrics.mkdir(parents=True, exist_ok=True)
    rollout = work / "rollout-python.json"
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--config", "gunicorn.conf.py", "app"]
    environment = _identity("shop-python") | {
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "SHOP_ROLLOUT": str(rollout),
        "PYTHONPATH": os.pathsep.join([str(folder), *([str(native.folder)] if native.folder else [])]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    pid = processes.start("shop-python", command, environment, folder, keep=keep)
    service = Service(
        "shop-python",
        "python",
        port,
        pid,
        rollout,
        "calculate_commission",
        "vessel_calculate_commission",
        native,
        110.0,
    )
    wait_until(lambda: answers(f"{service.url}/metrics"), START_SECONDS, "the Python service", processes)
    return service


def start_ruby(processes: Processes, work: Path, native: Native, puma: str, *, keep: bool = False) -> Service:
    """Start the Sinatra shop under puma, one process with four threads."""
    port = free_port()
    folder = app_folder("shop_ruby")
    rollout = work / "rollout-ruby.json"
    command = [puma, "--config", "puma.rb", "--bind", f"tcp://127.0.0.1:{port}"]
    load_path = [str(native.folder)] if native.folder else []
    existing = os.environ.get("RUBYLIB")
    environment = _identity("shop-ruby") | {
        "SHOP_ROLLOUT": str(rollout),
        "RUBYLIB": os.pathsep.join([*load_path, *([existing] if existing else [])]),
    }
    pid = processes.start("shop-ruby", command, environment, folder, keep=keep)
    service = Service(
        "shop-ruby",
        "ruby",
        port,
        pid,
        rollout,
        "Shop::Sales.calculate_commission",
        "Shop::Vessel.vessel_calculate_commission",
        native,
        70.0,
    )
    wait_until(lambda: answers(f"{service.url}/metrics"), START_SECONDS, "the Ruby service", processes)
    return service


def start_load(processes: Processes, service: Service, seed: int, *, keep: bool = False) -> None:
    """Start the load on a service."""
    command = [
        sys.executable,
        "-m",
        "pivotscope_collector.demo.load",
        service.url,
        str(service.requests_per_second),
        str(seed),
    ]
    processes.start(f"load-{service.language}", command, {}, service.rollout.parent, keep=keep)


def answers(url: str) -> bool:
    """Whether the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2.0) as response:  # noqa: S310 - loopback, our own
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class RubyPrograms:
    """Paths of the programs that the Ruby service needs."""

    ruby: str
    puma: str


def find_ruby() -> RubyPrograms | None:
    """The Ruby of our own environment, else that on PATH."""
    ruby, puma = shutil.which("ruby", path=search_path()), shutil.which("puma", path=search_path())
    return RubyPrograms(ruby, puma) if ruby and puma else None


def search_path() -> str:
    """PATH with the folder of our own commands in front."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def _identity(service: str) -> dict[str, str]:
    return {
        "OTEL_SERVICE_NAME": service,
        "OTEL_RESOURCE_ATTRIBUTES": f"service.version={VERSION},deployment.environment.name=demo",
    }
