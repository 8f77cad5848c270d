"""Share links in Firestore: short ids, the link of a completed job, and view counts.

May import jobs and the root.
"""
