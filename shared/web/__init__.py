"""The HTTP layer around a function's handler: paths, errors, JSON, CORS, limits and rendered pages.

May import services, the root, and every package but messaging; nothing in shared imports it.
"""
