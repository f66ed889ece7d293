"""Prints the windows in a store that no other process has open, one JSON list each.

read_windows.py FOLDER
"""

import json
import sys

from pivotscope_collector.store.client import Client

SQL = """
SELECT epoch, sequence, position, pid, toUnixTimestamp64Milli(process_started_at),
    toUnixTimestamp64Milli(agent_started_at), toUInt64(cpu_user_ns + cpu_system_ns), gap_cpu_ns, samples, outcome
FROM windows FINAL
"""

client = Client(path=sys.argv[1], database="pivotscope")
columns = [list(column) for column in client.run(SQL).values()]
for row in zip(*columns, strict=True):
    sys.stdout.write(json.dumps([value if isinstance(value, str) else int(value) for value in row]) + "\n")
client.close()
