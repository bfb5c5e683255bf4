"""Who we are: tokens obtained, renewed and kept."""
