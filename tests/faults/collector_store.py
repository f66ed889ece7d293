"""What a store holds, in raw rows and in each roll-up, printed as JSON: collector_store.py FOLDER | URL [AGENT].

With an agent, its raw rows alone. Windows that were refused are left out.
"""

import json
import sys
import time

# The levels and columns below are named here, never from outside.
# ruff: noqa: S608
from pivotscope_collector.store import reader
from pivotscope_collector.store.client import Client

folder, url = ("", sys.argv[1]) if "://" in sys.argv[1] else (sys.argv[1], "")
agent = {"agent": "".join(sys.argv[2:])}
client = Client(path=folder, url=url, database="pivotscope")
found: dict[str, object] = {
    "raw": {
        name: client.run(
            f"SELECT {what} AS n FROM windows FINAL WHERE {{agent:String}} IN ('', agent) AND outcome != 'refused'",
            agent,
        )["n"][0]
        for name, what in (("windows", "count()"), ("samples", "sum(arraySum(counts))"))
    },
    "dirty": list(reader.locate(client, reader.Selection(time.time_ns() - 48 * 3600 * 10**9, time.time_ns())).dirty),
}
for level in ("minute", "hour", "day"):
    pools = client.run(f"SELECT sum(windows) AS windows, sum(samples) AS samples FROM pools_{level} FINAL")
    totals = client.run(
        f"SELECT f.name AS name, sum(total) AS total FROM functions_{level} FINAL "
        "INNER JOIN (SELECT function_id, any(qualified_name) AS name FROM functions GROUP BY function_id) AS f "
        "USING function_id GROUP BY name"
    )
    found[level] = {
        "windows": pools["windows"][0],
        "samples": pools["samples"][0],
        "totals": dict(zip(totals["name"], totals["total"], strict=True)),
    }
sys.stdout.write(json.dumps(found))
client.close()
