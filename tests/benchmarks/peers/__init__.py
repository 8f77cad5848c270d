"""What the product is measured against: each the plainest of its kind, and none with less to do."""
