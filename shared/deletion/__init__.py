"""What a deletion is, how it is recorded in the job's document, and how its purge goes on.

May import storage, jobs and the root.
"""
