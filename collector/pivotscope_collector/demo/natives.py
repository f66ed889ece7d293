"""Building the demo's native implementations: Rust through PyO3, else a C extension; a C extension for Ruby."""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

BUILD_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Native:
    """A built implementation, or the reason why there is none. `folder` goes into the service's load path."""

    folder: Path | None
    bridge: str
    reason: str = ""


def build_python(work: Path) -> Native:
    """Build the Python service's native module into `work`, with cargo or else with a C compiler."""
    folder = _fresh(work / "python")
    environment = cargo_environment()
    if environment is not None:
        problem = _build_rust(folder, environment)
        if not problem:
            return Native(folder, "Rust through PyO3")
    else:
        problem = "no working cargo"
    compiler = _compiler()
    if compiler is None:
        return Native(None, "", f"{problem}; no C compiler either")
    problem = _build_c(folder, compiler)
    return Native(None, "", problem) if problem else Native(folder, "C extension")


def build_ruby(work: Path, ruby: str) -> Native:
    """Build the Ruby service's C extension into `work` with mkmf."""
    folder = _fresh(work / "ruby")
    if _compiler() is None or shutil.which("make") is None:
        return Native(None, "", "no C compiler or no make")
    shutil.copytree(app_folder("shop_ruby") / "ext", folder, dirs_exist_ok=True)
    problem = _run([ruby, "extconf.rb"], folder) or _run(["make"], folder)
    return Native(None, "", problem) if problem else Native(folder, "C extension")


def app_folder(name: str) -> Path:
    """Folder of one of the demo's services."""
    return Path(str(resources.files(__package__).joinpath("apps", name)))


def cargo_environment() -> dict[str, str] | None:
    """An environment in which `cargo --version` works, or None.

    A shim of rustup fails where HOME is not its owner's; then the owner's toolchain folder is named.
    """
    environment = dict(os.environ)
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    if (home / ".rustup").is_dir():
        environment.setdefault("RUSTUP_HOME", str(home / ".rustup"))
    cargo = shutil.which("cargo") or shutil.which("cargo", path=str(home / ".cargo" / "bin"))
    if cargo is None:
        return None
    environment["PATH"] = os.pathsep.join([str(Path(cargo).parent), environment.get("PATH", "")])
    return environment if not _run([cargo, "--version"], Path.cwd(), environment) else None


def _build_rust(folder: Path, environment: dict[str, str]) -> str:
    source = _fresh(folder / "crate")
    shutil.copytree(app_folder("shop_python") / "native_rust", source, dirs_exist_ok=True)
    environment = environment | {"PYO3_PYTHON": sys.executable}
    target = _cache() / f"demo-{sys.implementation.cache_tag}"
    problem = _run(["cargo", "build", "--release", "--target-dir", str(target)], source, environment)
    if not problem:
        shutil.copyfile(target / "release" / "libvessel_commission.so", folder / "vessel_commission.so")
    return problem


def _build_c(folder: Path, compiler: str) -> str:
    source = app_folder("shop_python") / "native_c" / "vessel_commission.c"
    include = f"-I{sysconfig.get_paths()['include']}"
    return _run([compiler, "-O2", "-shared", "-fPIC", include, "-o", "vessel_commission.so", str(source)], folder)


def _cache() -> Path:
    """Where built dependencies stay, so that the next demo starts at once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pivotscope"


def _compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a build step; an empty string, or why it failed (the last lines it printed)."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}"
    if done.returncode == 0:
        return ""
    tail = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
    return f"{command[0]} ended with {done.returncode}: {tail}"
