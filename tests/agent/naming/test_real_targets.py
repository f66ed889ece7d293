"""Names of real programs, sampled by the real tools: what is called, in every kind of function."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from pivotscope.profile.folded import Folded
from pivotscope.profile.folding import fold
from pivotscope.profile.function import Owner
from pivotscope.profile.language import Language
from pivotscope.profile.pyspy import parse_pyspy, parse_summary
from pivotscope.profile.rbspy import parse_rbspy
from pivotscope.profile.window import Sample
from pivotscope_agent.facts.client import read_facts
from pivotscope_agent.facts.messages import FactsRequest
from pivotscope_agent.naming.resolver import Resolver
from pivotscope_agent.naming.roots import Roots

PYTHON_PROGRAM = """\
import functools
import sys

N = 30_000

def traced(f):
    @functools.wraps(f)
    def wrapper(*args):
        total = 0
        for i in range(N): total += i
        return f(*args)
    return wrapper

class Report:
    def comprehension(self):
        return sum([i * i for i in range(N)])
    def generator(self):
        return sum(i * i for i in range(N))
    def by_lambda(self):
        return max(range(N), key=lambda i: i % 7)
    @classmethod
    def of_class(cls):
        total = 0
        for i in range(N): total += i
    @staticmethod
    def static():
        total = 0
        for i in range(N): total += i
    @traced
    def decorated(self):
        total = 0
        for i in range(N): total += i
    class Inner:
        def of_class(self):
            total = 0
            for i in range(N): total += i

def outer():
    def inner():
        total = 0
        for i in range(N): total += i
    inner()

def recursive(depth):
    if depth: return recursive(depth - 1)
    total = 0
    for i in range(N): total += i

def main():
    report = Report()
    print("ready", flush=True)
    while True:
        report.comprehension(); report.generator(); report.by_lambda(); Report.of_class(); Report.static()
        report.decorated(); Report.Inner().of_class(); outer(); recursive(4)

main()
"""
PYTHON_LEAVES = {
    "Report.comprehension", "Report.generator", "Report.by_lambda", "Report.of_class", "Report.static",
    "Report.decorated", "traced.<locals>.wrapper", "Report.Inner.of_class", "outer.<locals>.inner", "recursive",
}  # fmt: skip

RUBY_PROGRAM = """\
module Shop
  class Report
    def block
      (1..200).each do |i|
        j = 0
        j += 1 while j < 100
      end
    end
    def nested
      (1..60).each do |a|
        (1..100).each do |b|
          j = 0
          j += 1 while j < 10
        end
      end
    end
    def self.single
      i = 0
      while i < 20_000
        i += 1
      end
    end
    class << self
      def opened
        i = 0
        while i < 20_000
          i += 1
        end
      end
    end
    def rescued
      raise "x"
    rescue RuntimeError
      i = 0
      while i < 20_000
        i += 1
      end
    end
    def ensured
      1
    ensure
      i = 0
      while i < 20_000
        i += 1
      end
    end
    define_method(:dynamic) do
      i = 0
      while i < 20_000
        i += 1
      end
    end
  end
end

def recursive(depth)
  return recursive(depth - 1) if depth > 0
  i = 0
  while i < 20_000
    i += 1
  end
end

report = Shop::Report.new
$stdout.puts "ready"
$stdout.flush
loop do
  report.block
  report.nested
  Shop::Report.single
  Shop::Report.opened
  report.rescued
  report.ensured
  report.dynamic
  recursive(4)
end
"""
RUBY_LEAVES = {
    "Shop::Report#block", "Shop::Report#nested", "Shop::Report.single", "Shop::Report.opened", "Shop::Report#rescued",
    "Shop::Report#ensured", "Shop::Report#dynamic", "Object#recursive",
}  # fmt: skip

NATIVE_PROGRAM = """\
import time, zlib
DATA = bytes(range(256)) * 1_000
def compress():
    zlib.compress(DATA, 9)
def compute():
    total = 0
    for i in range(100_000): total += i * i
def wait():
    time.sleep(0.01)
print("ready", flush=True)
while True:
    compress(); compute(); wait()
"""


@contextmanager
def running(*command: str) -> Iterator[int]:
    """A program that says when it is ready; killed at the end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()


def record(tmp_path: Path, *command: str) -> tuple[str, str]:
    """What a sampler wrote to its file, and to the terminal."""
    output = tmp_path / "stacks.txt"
    done = subprocess.run([*command, str(output)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return output.read_text(), done.stdout + done.stderr


def pyspy(tmp_path: Path, pid: int, *options: str) -> Folded:
    command = ("py-spy", "record", "-p", str(pid), "-f", "raw", "-r", "200", "-d", "1", "--full-filenames", *options)
    text, log = record(tmp_path, *command, "-o")
    stacks = parse_pyspy(text)
    assert parse_summary(log).samples == sum(stack.count for stack in stacks)
    return fold(stacks, settle=False)


async def resolved(program: Path, language: Language, folded: Folded) -> tuple[Sample, ...]:
    roots = Roots("shop", language, cwd=str(program.parent), exists=lambda path: Path(path).exists())
    resolver = Resolver(roots, language)
    pending = resolver.pending_files(folded.stacks)
    assert pending == (str(program),)
    for answer in (await read_facts(FactsRequest(language, pending))).files:
        resolver.learn(answer.file, answer.facts.names() if answer.facts else None)
    assert not resolver.pending_files(folded.stacks)
    return resolver.resolve(folded.stacks)


def leaves(samples: tuple[Sample, ...]) -> Counter[str]:
    """Samples by the deepest function of the application."""
    found: Counter[str] = Counter()
    for sample in samples:
        own = [function for function in sample.stack if function.owner is Owner.APPLICATION]
        found[own[-1].qualified_name if own else ""] += sample.count
    return found


def interpreters() -> list[str]:
    """Interpreters on this machine, newest last: this one, and pyenv's where there are any."""
    versions = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"), key=lambda path: path.parts[-3].split("."))
    return [sys.executable, *(str(path) for path in versions if int(path.parts[-3].split(".")[1]) >= 7)]


@pytest.mark.python_target
@pytest.mark.parametrize("interpreter", interpreters(), ids=lambda path: Path(path).parts[-3])
async def test_python_names_are_those_of_the_source(tmp_path: Path, interpreter: str) -> None:
    program = tmp_path / "shop.py"
    program.write_text(PYTHON_PROGRAM)
    with running(interpreter, str(program)) as pid:
        folded = pyspy(tmp_path, pid, "--gil")
    samples = await resolved(program, Language.PYTHON, folded)
    found = leaves(samples)
    assert set(found) - {"main", "outer", "<module>"} == PYTHON_LEAVES
    assert {sample.stack[0].path for sample in samples} == {"shop.py"}
    deepest = max(
        (sample.stack for sample in samples), key=lambda stack: sum(f.qualified_name == "recursive" for f in stack)
    )
    assert sum(function.qualified_name == "recursive" for function in deepest) == 5


@pytest.mark.python_target
async def test_native_work_waiting_and_python_are_told_apart(tmp_path: Path) -> None:
    program = tmp_path / "shop.py"
    program.write_text(NATIVE_PROGRAM)
    with running(sys.executable, str(program)) as pid:
        folded = pyspy(tmp_path, pid, "--native")
    samples = await resolved(program, Language.PYTHON, folded)
    total, native = leaves(samples), Counter[str]()
    for sample in samples:
        native[sample.stack[-1].qualified_name] += sample.native
    assert native["compress"] > 0.9 * total["compress"] > 0
    assert native["compute"] <= 0.1 * total["compute"]
    assert total["compute"] > 0
    assert total["wait"] <= 0.05 * total.total()


@pytest.mark.ruby_target
async def test_ruby_names_are_those_of_the_source(tmp_path: Path) -> None:
    program = tmp_path / "shop.rb"
    program.write_text(dedent(RUBY_PROGRAM))
    with running("ruby", str(program)) as pid:
        command = ("rbspy", "record", "-p", str(pid), "-o", "collapsed", "-r", "200", "-d", "1", "--on-cpu", "--silent")
        text, _ = record(tmp_path, *command, "--raw-file", str(tmp_path / "raw.gz"), "-f")
    samples = await resolved(program, Language.RUBY, fold(parse_rbspy(text), settle=False))
    found = leaves(samples)
    assert set(found) - {"<main>"} == RUBY_LEAVES
    blocks = [
        sample for sample in samples if sample.stack[-1].qualified_name in {"Shop::Report#block", "Shop::Report#nested"}
    ]
    assert sum(sample.native for sample in blocks) <= 0.1 * sum(sample.count for sample in blocks)
