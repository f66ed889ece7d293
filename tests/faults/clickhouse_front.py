"""A ClickHouse for several collectors: the embedded engine behind HTTP. clickhouse_front.py FOLDER PORT_FILE"""

import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

import chdb

from tests.collector.conftest import Front

Front.engine = chdb.connect(sys.argv[1])
server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
draft = Path(sys.argv[2] + ".tmp")
draft.write_text(str(server.server_port), "ascii")
draft.rename(sys.argv[2])
server.serve_forever()
