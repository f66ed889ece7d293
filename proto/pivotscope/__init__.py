"""What both sides of Pivotscope share: the wire contract and the profile model."""
