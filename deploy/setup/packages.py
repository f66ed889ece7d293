"""The virtual environment: pinned packages, checked by hash, and our own distributions on top."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from deploy.setup import debian
from deploy.setup.console import SetupError, answer, run, say

_REQUIREMENTS = ("requirements/runtime.txt", "requirements/build.txt", "requirements/dev.txt")
_DISTRIBUTIONS = ("proto", "agent", "collector")
_STAMP = "pivotscope-setup"
# Settings that would send packages elsewhere than into the environment, or forbid installing ours from here.
_MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_HASHES", "PYTHONPATH", "PYTHONHOME")


def ensure(root: Path, folder: Path) -> None:
    """Make ``folder`` an environment that holds what the requirement files pin, and our commands.

    Does nothing where a stamp says that this was done for the same files and the same interpreter.
    Raises SetupError where it cannot be done.
    """
    python = folder / "bin" / "python"
    stamp = folder / _STAMP
    version = _version(python)
    if version is not None and _read(stamp) == _digest(root, version):
        say("packages", f"as pinned, for Python {version}")
        return
    stamp.unlink(missing_ok=True)
    if version is None:
        version = _create(folder, python)
    _ensure_pip(python)
    _install(root, python)
    stamp.write_text(_digest(root, version), encoding="utf-8")
    say("packages", f"installed, for Python {version}")


def _version(python: Path) -> str | None:
    """The version of an environment's interpreter, None where it does not work or was moved."""
    text = answer([python, "-c", "import sys, platform; print(sys.prefix); print(platform.python_version())"])
    if text is None:
        return None
    prefix, version = text.splitlines()
    return version if Path(prefix).resolve() == python.parent.parent.resolve() else None


def _create(folder: Path, python: Path) -> str:
    say("packages", f"creating an environment in {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    # Without pip, because Debian ships what brings it apart from what creates environments.
    run([sys.executable, "-m", "venv", "--without-pip", folder])
    version = _version(python)
    if version is None:
        raise SetupError(f"{sys.executable} -m venv does not make a working environment in {folder}.\n{_venv_advice()}")
    return version


def _ensure_pip(python: Path) -> None:
    """Give the environment a pip, by the first way that works on this machine."""
    if answer([python, "-m", "pip", "--version"]) or answer([python, "-m", "ensurepip", "--default-pip"]):
        return
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    if debian.install("packages", [f"python{minor}-venv"]) and answer([python, "-m", "ensurepip", "--default-pip"]):
        return
    wheels = Path(python.parent.parent.parent, ".tools", "pip")
    wheels.parent.mkdir(exist_ok=True)
    if debian.unpack("packages", ["python3-pip-whl"], wheels, lambda name: name == "python3-pip-whl"):
        for wheel in wheels.glob("usr/share/python-wheels/pip-*.whl"):
            if run([python, wheel / "pip", "install", "--quiet", "--no-index", wheel], _environment()):
                return
    raise SetupError(f"{sys.executable} has no pip to put into an environment.\n{_venv_advice()}")


def _venv_advice() -> str:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"On Debian and Ubuntu: apt-get install python{minor}-venv; as root, `CI=true make setup` does so.\n"
        "Elsewhere: name a Python that has the modules venv and ensurepip: make setup PYTHON=/path/to/python3"
    )


def _install(root: Path, python: Path) -> None:
    env = _environment()
    say("packages", "installing what requirements/*.txt pin (about 70 packages, 400 MB unpacked)")
    pinned = [part for name in _REQUIREMENTS for part in ("--requirement", name)]
    ours = [part for name in _DISTRIBUTIONS for part in ("--editable", name)]
    pip: list[str | Path] = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    if not run([*pip, "--require-hashes", *pinned], env, root):
        raise SetupError("pip could not install the pinned packages; its message is above")
    if not run([*pip, "--quiet", "--no-deps", "--no-build-isolation", *ours], env, root):
        raise SetupError("pip could not install this repository's own distributions; its message is above")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _MISLEADING}


def _digest(root: Path, version: str) -> str:
    """Of everything that decides what is installed. An environment cannot be moved, so its place counts."""
    state = hashlib.sha256(f"{root}\0{version}\0".encode())
    for name in (*_REQUIREMENTS, *(f"{name}/pyproject.toml" for name in _DISTRIBUTIONS)):
        state.update(hashlib.sha256((root / name).read_bytes()).digest())
    return state.hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
