"""Jobs in Firestore: the job, its document, lists of jobs with their counts and cursors, and amending one.

May import the root alone.
"""
