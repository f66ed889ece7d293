"""Ruby with puma, sinatra, ruby-prof and headers: as installed, else from Debian's packages."""

import os
import shlex
from pathlib import Path

from deploy.setup import debian
from deploy.setup.console import SetupError, answer, on_path, put_script, say

_PACKAGES = ("ruby", "ruby-dev", "puma", "ruby-sinatra", "ruby-prof")
_PROGRAMS = ("ruby", "puma", "ruby-prof")
_ROUTES = ("auto", "installed", "unpack", "none")
_PROBE = """
require "rbconfig"
%w[puma sinatra/base ruby-prof mkmf].each { |name| require name }
header = File.join(RbConfig::CONFIG["rubyhdrdir"], "ruby.h")
File.exist?(header) or abort "no #{header}"
puts RUBY_VERSION
"""


def ensure(root: Path, bin_folder: Path) -> None:
    """Leave a complete Ruby on PATH or in ``bin_folder``, or say why there is none.

    PIVOTSCOPE_SETUP_RUBY chooses the route: ``auto`` (the default), ``installed``, ``unpack`` or ``none``.
    Raises SetupError where it has another value.
    """
    route = os.environ.get("PIVOTSCOPE_SETUP_RUBY") or "auto"
    if route not in _ROUTES:
        raise SetupError(f"PIVOTSCOPE_SETUP_RUBY is {route!r}; expected one of {', '.join(_ROUTES)}")
    if route == "none":
        _remove_wrappers(bin_folder)
        say("ruby", "left out as PIVOTSCOPE_SETUP_RUBY asks")
        return
    if route != "unpack" and _as_installed(bin_folder):
        return
    if route == "auto" and debian.install("ruby", _PACKAGES) and _as_installed(bin_folder):
        return
    if route != "installed" and _unpacked(root / ".tools" / "ruby", bin_folder):
        return
    _remove_wrappers(bin_folder)
    say("ruby", f"not here with all that is needed ({', '.join(_PROGRAMS)}, sinatra and headers).")
    say("", f"The product works without. To have it: apt-get install {' '.join(_PACKAGES)}; then `make setup` again.")


def _as_installed(bin_folder: Path) -> bool:
    programs = [on_path(name, besides=bin_folder) for name in _PROGRAMS]
    ruby = programs[0]
    if ruby is None or None in programs:
        return False
    version = answer([ruby, "-e", _PROBE])
    if version is None:
        return False
    _remove_wrappers(bin_folder)
    say("ruby", f"{version}, as installed")
    return True


def _unpacked(folder: Path, bin_folder: Path) -> bool:
    version = _wrap(folder, bin_folder)
    if version is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not debian.unpack("ruby", _PACKAGES, folder, _belongs_to_ruby):
            return False
        version = _wrap(folder, bin_folder)
    if version is None:
        say("ruby", f"unpacked into {folder}, but it does not run there")
        return False
    say("ruby", f"{version}, unpacked into {folder}")
    return True


def _belongs_to_ruby(package: str) -> bool:
    return "ruby" in package or package in {"puma", "rake"}


def _wrap(folder: Path, bin_folder: Path) -> str | None:
    """Put wrappers of an unpacked Ruby into ``bin_folder``. Its version, or None where it does not work."""
    exports = _exports(folder / "usr")
    if exports is None:
        return None
    ruby = shlex.quote(str(folder / "usr/bin/ruby"))
    for name in _PROGRAMS:
        script = "" if name == "ruby" else f" {shlex.quote(str(folder / 'usr/bin' / name))}"
        put_script(
            bin_folder / name, f'#!/bin/sh\n# Ruby, unpacked into this checkout\n{exports}exec {ruby}{script} "$@"\n'
        )
    return answer([bin_folder / "ruby", "-e", _PROBE])


def _exports(usr: Path) -> str | None:
    """Lines of shell that make a Ruby outside /usr find its own libraries, gems and headers first."""
    folders = sorted(usr.glob("lib/ruby/[0-9]*")), sorted(usr.glob("lib/*/ruby/[0-9]*"))
    if not (folders[0] and folders[1] and (usr / "bin/ruby").exists()):
        return None
    pure, native = folders[0][-1], folders[1][-1]
    abi, libraries = pure.name, native.parent.parent
    paths = {
        "RUBYLIB": (
            usr / "lib/ruby/vendor_ruby" / abi,
            native.parent / "vendor_ruby" / abi,
            usr / "lib/ruby/vendor_ruby",
            pure,
            native,
        ),
        "GEM_PATH": (
            usr / "share/rubygems-integration/all",
            usr / "share/rubygems-integration" / abi,
            libraries / "rubygems-integration" / abi,
            usr / "lib/ruby/gems" / abi,
        ),
        "LD_LIBRARY_PATH": (libraries,),
    }
    own = {name: shlex.quote(os.pathsep.join(map(str, parts))) for name, parts in paths.items()}
    # Extensions that the caller built come before all; of shared libraries this Ruby needs its own.
    own["RUBYLIB"] = '"${RUBYLIB:+$RUBYLIB:}"' + own["RUBYLIB"]
    own["LD_LIBRARY_PATH"] += '"${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"'
    return "\n".join([*(f"export {name}={parts}" for name, parts in own.items()), ""])


def _remove_wrappers(bin_folder: Path) -> None:
    for name in _PROGRAMS:
        (bin_folder / name).unlink(missing_ok=True)
