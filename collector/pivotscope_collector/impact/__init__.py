"""Before and after: did it bring what was promised?"""
