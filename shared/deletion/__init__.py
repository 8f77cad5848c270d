"""Deletions: the ledger, the mark in the job's document, and how the purge proceeds.

May import storage, jobs and the root.
"""
