"""Code that is not the application's: installed packages, gems, and what ships with the language.

Versions are left out of names and paths, so that an upgrade does not make a function a new one.
"""

import re
from dataclasses import dataclass

from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language

_SITE_PACKAGES = re.compile(r"(?:^|/)(?:site|dist)-packages/(?P<rest>.+)$")
_EGG = re.compile(r"^[^/]+\.egg/(?P<rest>.+)$")
_PYTHON_STANDARD = re.compile(r"/(?:lib|lib64)/(?:python|pypy)\d[\d.]*t?/(?P<rest>.+)$|/lib-python/\d/(?P<pypy>.+)$")
_FROZEN = re.compile(r"^<frozen (?P<module>[\w.]+)>$")
_GEM = re.compile(r"(?:^|/)gems/(?P<gem>[^/]+?)-(?:\d[\w.\-]*|[0-9a-f]{7,40})/(?P<rest>.+)$")
_DEBIAN_RUBY = re.compile(r"/ruby/(?:vendor_ruby|site_ruby)/(?:\d[\d.]*/)?(?P<rest>.+)$")
_RUBY_STANDARD = re.compile(r"/lib/(?:[\w-]+/)?ruby/\d[\d.]*/(?P<rest>.+)$")
_RUBY_INTERNAL = re.compile(r"^<internal:(?P<inner>.+)>$")
_PROGRAM = re.compile(r"/s?bin/(?P<program>[^/.]+)$")
_RUBY_TOOLING = frozenset({"rubygems", "rubygems.rb", "bundler", "bundler.rb"})


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file belongs. `file` is its absolute path where facts of it are wanted, else empty."""

    codebase: str
    path: str
    owner: Owner
    file: str = ""


def locate_library(path: str, language: Language) -> Location | None:
    """The package, gem or standard library that holds a file; None where it may be the application's."""
    if not path:
        return Location(f"{language}-core", "", Owner.RUNTIME)
    if internal := _RUBY_INTERNAL.match(path):
        path = internal["inner"]
        if not path.startswith("/"):
            return Location("ruby-core", path, Owner.RUNTIME)
    located = _python(path) if language is Language.PYTHON else _ruby(path)
    if located is None and (program := _PROGRAM.search(path)):
        name = program["program"]
        return Location(name, f"bin/{name}", Owner.LIBRARY)
    return located


def _python(path: str) -> Location | None:
    if installed := _SITE_PACKAGES.search(path):
        rest = installed["rest"]
        if egg := _EGG.match(rest):
            rest = egg["rest"]
        return Location(_top(rest), rest, Owner.LIBRARY)
    if standard := _PYTHON_STANDARD.search(path):
        return Location("python-stdlib", standard["rest"] or standard["pypy"], Owner.STANDARD)
    if frozen := _FROZEN.match(path):
        return Location("python-stdlib", frozen["module"].replace(".", "/") + ".py", Owner.STANDARD)
    if path.startswith("<"):
        return Location("python-core", path, Owner.RUNTIME)
    return None


def _ruby(path: str) -> Location | None:
    if gem := _GEM.search(path):
        return Location(gem["gem"], gem["rest"], Owner.LIBRARY)
    if debian := _DEBIAN_RUBY.search(path):
        rest = debian["rest"]
        if rest.partition("/")[0] in _RUBY_TOOLING:
            return Location("ruby-stdlib", rest, Owner.STANDARD)
        return Location(_top(rest), f"lib/{rest}", Owner.LIBRARY)
    if standard := _RUBY_STANDARD.search(path):
        return Location("ruby-stdlib", standard["rest"], Owner.STANDARD)
    if path.startswith(("<", "(")):
        return Location("ruby-core", path, Owner.RUNTIME)
    return None


def _top(path: str) -> str:
    """Name of the package or module that a path below a library folder begins with."""
    return path.partition("/")[0].removesuffix(".py").removesuffix(".rb")
