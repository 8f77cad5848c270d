"""Makes small pictures of an uploaded image or video, in a confined process of its own.

May import errors, log and tracing alone: its decoders run with no credentials and no network.
"""
