"""How a network is run fast: tiles of a chromosome, CPU and GPU engines, the scorer."""
