import errno
import os
from pathlib import Path

import pytest
from pivotscope_agent.targets.inside import RootFolder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with links of every kind, and a secret outside of it."""
    root = tmp_path / "root"
    (root / "srv/app/lib").mkdir(parents=True)
    (root / "srv/app/main.py").write_text("inside")
    (root / "etc").mkdir()
    (root / "etc/hostname").write_text("the container's")
    (tmp_path / "secret").write_text("outside")
    (root / "current").symlink_to("/srv/app")
    (root / "srv/relative").symlink_to("app/../app/main.py")
    (root / "escape").symlink_to("../../../../secret")
    (root / "absolute").symlink_to("/etc/hostname")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture(params=[True, False], ids=["openat2", "walked"])
def folder(request: pytest.FixtureRequest, tree: Path) -> RootFolder:
    return RootFolder(str(tree), use_openat2=request.param)


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/srv/app/main.py", b"inside"),
        ("srv/app/lib/../main.py", b"inside"),
        ("/current/main.py", b"inside"),
        ("/srv/relative", b"inside"),
        ("/absolute", b"the container's"),
        ("/../../etc/hostname", b"the container's"),
    ],
)
def test_paths_resolve_below_the_root(folder: RootFolder, path: str, content: bytes) -> None:
    with folder:
        assert folder.read(path, limit=100) == content


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/escape", errno.ENOENT),
        ("/missing", errno.ENOENT),
        ("/loop", errno.ELOOP),
        ("/srv/app", errno.EINVAL),
        ("/pipe", errno.EINVAL),
        ("/srv/app/main.py/x", errno.ENOTDIR),
    ],
)
def test_nothing_else_is_read(folder: RootFolder, path: str, code: int) -> None:
    with folder, pytest.raises(OSError, check=lambda error: error.errno == code):
        folder.read(path, limit=100)


def test_large_files_are_refused(folder: RootFolder) -> None:
    with folder:
        assert folder.read("/srv/app/main.py", limit=6) == b"inside"
        with pytest.raises(OSError, match="larger than 5 bytes"):
            folder.read("/srv/app/main.py", limit=5)


def test_existence_is_asked_below_the_root(folder: RootFolder, tree: Path) -> None:
    with folder:
        assert folder.exists("/current/main.py")
        assert folder.exists("/pipe")
        assert not folder.exists("/escape")
        assert not folder.exists(str(tree))
        assert not folder.exists("a\0b")


def test_no_descriptor_is_left_open(folder: RootFolder) -> None:
    before = open_descriptors()
    with folder:
        for path in ("/current/main.py", "/escape", "/loop", "/srv/app"):
            folder.exists(path)
    assert open_descriptors() == before - 1
