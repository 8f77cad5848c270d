"""Publishes to Pub/Sub topics and reads the dead letters of their subscriptions.

May import the root alone.
"""
