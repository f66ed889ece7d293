"""The admin command line: one small file per command group."""
