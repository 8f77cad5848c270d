"""Identifies callers and limits how often they may call: ID tokens, visitors of share links, rate limits.

May import the root alone.
"""
