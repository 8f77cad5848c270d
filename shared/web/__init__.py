"""What stands around the handler of an HTTP function: paths, errors, JSON, CORS, limits, and rendered pages.

May import services, access, jobs and the root; nothing in shared imports it.
"""
