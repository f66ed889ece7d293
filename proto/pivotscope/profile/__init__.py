"""The profile model: frames, functions, samples and windows, and the parsers of the tools' outputs.

Pure and standard library only, so that agent and collector can both afford it.
"""
