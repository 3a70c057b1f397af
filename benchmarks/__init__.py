"""Measure the library: ratios side by side in one run, medians, peers where there are any."""
