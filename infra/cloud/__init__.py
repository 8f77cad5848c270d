"""Puts the product on Google Cloud with gcloud.

Needs only Python's standard library, because it runs before any set-up.
"""
