import io
import sys
from pathlib import Path

import pytest
from pivotscope.profile.language import Language
from pivotscope_agent.facts.child import MAX_FILE_BYTES, respond, serve
from pivotscope_agent.facts.client import read_facts
from pivotscope_agent.facts.codebase import CodebaseSize
from pivotscope_agent.facts.messages import FactsRequest, FileAnswer, decode_answer, decode_request, encode_request


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text("class A:\n    def f(self): return 1 + 1\n")
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "huge.py").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    return tmp_path


def request(app: Path, *names: str, root: str = "") -> FactsRequest:
    return FactsRequest(Language.PYTHON, tuple(str(app / name) for name in names), root)


def answers(asked: FactsRequest) -> list[object]:
    return [decode_answer(line.encode()) for line in respond(asked)]


def test_requests_survive_the_wire() -> None:
    asked = FactsRequest(Language.RUBY, ("/srv/größe.rb", "/srv/\udcff.rb"), "/srv", "/proc/7/root")
    assert decode_request(encode_request(asked)) == asked


def test_facts_survive_the_wire_and_hold_no_source(app: Path) -> None:
    (line,) = respond(request(app, "app.py"))
    assert "return" not in line
    answer = decode_answer(line.encode())
    assert isinstance(answer, FileAnswer)
    assert answer.facts is not None
    assert [f.qualified_name for f in answer.facts.functions] == ["<module>", "A.f"]
    assert answer.facts.names().resolve("f", 2) == "A.f"
    record = answer.facts.of("shop", "app.py")
    assert (record.codebase, record.path, record.lines, record.functions[1].arithmetic) == ("shop", "app.py", 2, 1)


def test_each_file_that_cannot_be_read_has_its_reason(app: Path) -> None:
    found = answers(request(app, "missing.py", "broken.py", "huge.py"))
    assert [(a.facts, a.reason.partition(":")[0]) for a in found if isinstance(a, FileAnswer)] == [
        (None, "cannot be read"),
        (None, "not valid Python for this agent's parser at line 1"),
        (None, "cannot be read"),
    ]


def test_the_codebase_is_measured_where_a_root_is_given(app: Path) -> None:
    assert answers(request(app, root=str(app))) == [(CodebaseSize(3, 4), "")]
    assert answers(request(app, root="/missing")) == [(None, "/missing: No such file or directory")]


def test_a_root_that_is_gone_is_a_reason_for_all() -> None:
    asked = FactsRequest(Language.PYTHON, ("/a.py",), "/srv", "/proc/0/root")
    reason = "the process's root cannot be opened: No such file or directory"
    assert answers(asked) == [FileAnswer("/a.py", None, reason), (None, reason)]


def test_the_child_answers_line_by_line(app: Path) -> None:
    out = io.StringIO()
    serve(io.BytesIO(encode_request(request(app, "app.py")) * 2), out)
    assert [line[:7] for line in out.getvalue().splitlines()] == ['{"file"', '{"done"'] * 2


async def test_a_real_child_answers(app: Path) -> None:
    answer = await read_facts(request(app, "app.py", "missing.py", root=str(app)))
    assert [bool(file.facts) for file in answer.files] == [True, False]
    assert answer.size == CodebaseSize(3, 4)


async def test_a_real_child_reads_ruby(tmp_path: Path) -> None:
    (tmp_path / "a.rb").write_text("module M; def self.x; end; end")
    answer = await read_facts(FactsRequest(Language.RUBY, (str(tmp_path / "a.rb"),)))
    assert answer.files[0].facts is not None
    assert answer.files[0].facts.functions[1].qualified_name == "M.x"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import time; time.sleep(60)", "no answer within 0.2 s"),
        ("raise SystemExit(3)", "ended early"),
        ("print('nonsense')", "not understood"),
        ("import os; os.kill(os.getpid(), 9)", "ended early"),
    ],
)
async def test_a_child_that_fails_is_a_reason(app: Path, program: str, reason: str) -> None:
    seconds = 0.2 if "sleep" in program else 30.0
    command = (sys.executable, "-I", "-c", program)
    answer = await read_facts(request(app, "app.py", root="/srv"), timeout_seconds=seconds, command=command)
    assert answer.files[0].facts is None
    assert reason in answer.files[0].reason
    assert reason in answer.reason


async def test_a_child_that_cannot_be_started_is_a_reason(app: Path) -> None:
    answer = await read_facts(request(app, "app.py"), command=("/missing/python",))
    assert "could not be started" in answer.files[0].reason


async def test_no_child_is_left_behind(app: Path) -> None:
    program = f"import os, time; open({str(app / 'pid')!r}, 'w').write(str(os.getpid())); print('x', flush=True)"
    command = (sys.executable, "-I", "-c", f"{program}; time.sleep(60)")
    await read_facts(request(app, "app.py"), command=command)
    assert not _runs((app / "pid").read_text())


def _runs(pid: str) -> bool:
    return Path("/proc", pid).exists()
