"""Deletions: the ledger, the mark in the job's document, and how the purge proceeds.

May import the root, and every package but sharing, web and messaging.
"""
