"""What an agent that was killed had spooled is there when it comes back."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pivotscope_agent.pipeline.spool import Spool
from pivotscope_agent.pipeline.state import UNCLEAN_GAP

WRITER = """
import sys
from pathlib import Path
from pivotscope.v1 import agent_pb2 as pb
from pivotscope_agent.clock import SystemClock
from pivotscope_agent.telemetry.counters import Counters
from pivotscope_agent.pipeline.opening import open_spool
from pivotscope_agent.pipeline.spool import SpoolSettings
settings = SpoolSettings(Path(sys.argv[1]), segment_bytes=20_000)
spool = open_spool(settings, counters=Counters(), clock=SystemClock())
while True:
    print(spool.append(pb.Definitions(), pb.Batch(windows=[pb.Window(reason="x" * 500)])), flush=True)
"""


def test_a_killed_agent_loses_nothing_that_was_spooled(tmp_path: Path, open_: Callable[..., Spool]) -> None:
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "spool")], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(200)]
            writer.kill()
            told += [int(line) for line in writer.stdout]
        spool = open_(max_age_s=float("1e10"))
        kept = [record.sequence for record in spool.read(0, limit=100_000)]
        assert set(told) <= set(kept)
        assert kept == sorted(set(kept))
        assert spool.last >= kept[-1] + UNCLEAN_GAP
        spool.close()
