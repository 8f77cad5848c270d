"""The three Cloud Storage buckets: objects, their removal, signed media URLs, and the pictures beside media.

May import jobs, access, publishing and the root.
"""
