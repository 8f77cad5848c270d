"""The events that background functions consume, and the layer around a function's handler.

May import services, the root, and every package but web.
"""
