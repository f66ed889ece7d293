"""`python -m pivotscope_agent.facts`: the child that reads source files."""

import sys

from pivotscope_agent.facts.child import bound_self, serve

if __name__ == "__main__":
    bound_self()
    serve(sys.stdin.buffer, sys.stdout)
