"""Code shared by the functions. [tool.importlinter] in pyproject.toml defines which package may import which.

Every package may use the root: settings, errors, outages and the log. `services` wires everything together.
"""
