"""Pub/Sub as this product sends to it: topics to publish to, and the dead letters of their subscriptions.

May import the root alone.
"""
