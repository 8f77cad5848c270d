"""Share links in Firestore: short ids, the link that a completed job gets, and how often links are viewed.

May import jobs and the root.
"""
