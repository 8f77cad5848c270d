"""The HTTP layer around a function's handler: paths, errors, JSON, CORS, limits and rendered pages.

May import services, access, jobs and the root; nothing in shared imports it.
"""
