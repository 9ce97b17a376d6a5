"""What the engine costs beside the plainest way of doing the same, measured in one run."""
