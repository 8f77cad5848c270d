"""The events that background functions consume, and the layer around a function's handler.

May import services, jobs and the root.
"""
