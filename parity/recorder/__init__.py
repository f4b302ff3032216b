"""Makes records of what PyTorch does; see ../README.md."""
