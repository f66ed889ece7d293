"""Files that commands write: whole, and where they were."""

import os
from pathlib import Path

import pytest
from pivotscope_collector.cli.writing import write_file
from pivotscope_collector.errors import UsageError


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write_file(file, "old")
    file.chmod(0o600)
    write_file(file, "new é")
    assert file.read_text("utf-8") == "new é"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_file(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_is_written_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, "text")
        assert os.read(reader, 10) == b"text"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_dash_is_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_file(Path("-"), "text")
    assert capsys.readouterr().out == "text"
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*gone/plan.json: No such file or directory"):
        write_file(tmp_path / "gone" / "plan.json", "text")
    with pytest.raises(UsageError, match="Is a directory"):
        write_file(tmp_path, "text")
