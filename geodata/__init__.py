"""The earth: coordinate systems, file formats, tilings of the ground, spatial kernels and tiles.

Knows neither people nor databases.
"""
