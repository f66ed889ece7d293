"""Merges the parts of every table of a store that no other process has open, and prints rows and bytes by table.

merge_store.py FOLDER
"""

import json
import sys

from pivotscope_collector.store.client import Client

client = Client(path=sys.argv[1], database="pivotscope")
tables = client.run("SELECT name FROM system.tables WHERE database = 'pivotscope' AND engine LIKE '%MergeTree'")["name"]
for table in tables:
    client.command(f"OPTIMIZE TABLE {table} FINAL")
sizes = client.run(
    "SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts "
    "WHERE database = 'pivotscope' AND active GROUP BY table"
)
found = dict.fromkeys(tables, (0, 0)) | dict(
    zip(sizes["table"], zip(sizes["rows"], sizes["bytes"], strict=True), strict=True)
)
found["samples"] = (client.run("SELECT count() AS rows FROM samples")["rows"][0], 0)
sys.stdout.write(json.dumps(found))
client.close()
