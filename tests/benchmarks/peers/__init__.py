"""What the product is measured against: the plainest code for each comparison."""
