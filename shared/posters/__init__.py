"""Makes small pictures of an uploaded image or video, in a confined process of its own.

May import only the root: its decoders run with no credentials and no network.
"""
