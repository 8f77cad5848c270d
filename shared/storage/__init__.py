"""The three buckets of Cloud Storage: objects, their removal, signed URLs of media, and pictures beside them.

May import jobs and the root.
"""
