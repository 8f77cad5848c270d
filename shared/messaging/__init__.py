"""The events that background functions consume, and what stands around the handler of one.

May import services, jobs and the root.
"""
