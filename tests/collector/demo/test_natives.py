"""Native code of the demo gives the same results as the code that it replaces."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pivotscope_collector.demo import natives
from pivotscope_collector.demo.services import find_ruby

CASES = 10_000
PYTHON_PARITY = f"""
import random, sys
from core import sales, vessel
source = random.Random(11)
for case in range({CASES}):
    batch = [
        {{
            "amount": source.choice((0.0, 249.99, 250.0, 999.99, 1000.0, -5.0, round(source.uniform(0, 2000), 2))),
            "region": source.choice(("north", "south", "east", "west")),
            "returned": source.random() < 0.1,
        }}
        for _ in range(source.randrange(12))
    ]
    if not vessel.parity(batch):
        sys.exit(f"case {{case}}: {{batch}}")
for broken in ([{{"amount": 1.0, "returned": False}}], [{{"amount": 1.0, "region": "nowhere", "returned": False}}]):
    errors = []
    for function in (sales.calculate_commission, vessel.vessel_calculate_commission):
        try:
            function(broken)
        except KeyError as error:
            errors.append(str(error))
    assert len(errors) == 2, errors
print("equal")
"""
RUBY_PARITY = f"""
require File.join(ARGV[0], "core/vessel")
source = Random.new(11)
regions = %w[north south east west]
edges = [0.0, 249.99, 250.0, 999.99, 1000.0, -5.0]
{CASES}.times do |number|
  batch = Array.new(source.rand(12)) do
    amount = source.rand < 0.5 ? edges[source.rand(edges.size)] : (source.rand * 2000).round(2)
    {{ amount: amount, region: regions[source.rand(4)], returned: source.rand < 0.1 }}
  end
  abort "case #{{number}}: #{{batch}}" unless Shop::Vessel.parity?(batch)
end
puts "equal"
"""


def ran(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_python_and_c_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natives, "cargo_environment", lambda: None)
    native = natives.build_python(tmp_path)
    if native.folder is None:
        pytest.skip(native.reason)
    assert native.bridge == "C extension"
    path = os.pathsep.join([str(natives.app_folder("shop_python")), str(native.folder)])
    assert ran([sys.executable, "-c", PYTHON_PARITY], PYTHONPATH=path) == "equal"


@pytest.mark.slow
def test_python_and_rust_agree(tmp_path: Path) -> None:
    if natives.cargo_environment() is None:
        pytest.skip("no working cargo")
    native = natives.build_python(tmp_path)
    assert native.bridge == "Rust through PyO3", native.reason
    path = os.pathsep.join([str(natives.app_folder("shop_python")), str(native.folder)])
    assert ran([sys.executable, "-c", PYTHON_PARITY], PYTHONPATH=path) == "equal"


@pytest.mark.ruby_target
def test_ruby_and_c_agree(tmp_path: Path) -> None:
    ruby = find_ruby()
    if ruby is None:
        pytest.skip("no ruby")
    native = natives.build_ruby(tmp_path, ruby.ruby)
    if native.folder is None:
        pytest.skip(native.reason)
    app = str(natives.app_folder("shop_ruby"))
    assert ran([ruby.ruby, "-I", str(native.folder), "-e", RUBY_PARITY, app]) == "equal"


def test_without_any_compiler_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natives, "cargo_environment", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    native = natives.build_python(tmp_path)
    assert native.folder is None
    assert native.reason == "no working cargo; no C compiler either"
