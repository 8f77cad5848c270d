"""What the functions share. Imports point one way, as [tool.importlinter] in pyproject.toml draws it.

The root holds what every package may use: settings, errors, outages and the log. `services` puts it all together.
"""
