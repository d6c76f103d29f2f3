"""What one run is, on one of two engines.

`loop.train` is the way in. This file imports nothing, so that records and pages can use
`run`, `scores` and `profiles` without loading a network library.
"""
