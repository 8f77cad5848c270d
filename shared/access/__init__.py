"""Who is calling, and how often they may: ID tokens, visitors of share links, and rate limits.

May import the root alone.
"""
