"""The admin command line: one small file per command group."""

import os

# The library's own lines on standard error say again, in its words, what errors say in ours.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
