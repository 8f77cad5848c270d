"""Jobs in Firestore: the job, its document, lists with their counts and cursors, and updates to a job.

May import the root alone.
"""
