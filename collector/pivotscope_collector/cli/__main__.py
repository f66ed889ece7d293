"""`python -m pivotscope_collector.cli`."""

from pivotscope_collector.cli.app import main

main()
