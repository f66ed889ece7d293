"""Prints the first value of a query on the store in a folder, which no other process may have open.

read_store.py FOLDER SQL
"""

import sys

from pivotscope_collector.store.client import Client

client = Client(path=sys.argv[1], database="pivotscope")
(values,) = client.run(sys.argv[2]).values()
sys.stdout.write(f"{values[0]}\n")
client.close()
