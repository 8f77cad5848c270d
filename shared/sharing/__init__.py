"""Share links in Firestore: short ids, the link of a completed job, and view counts.

May import the root, and every package but deletion, web and messaging.
"""
