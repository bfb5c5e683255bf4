"""What a crawl would cost, before it is begun."""
