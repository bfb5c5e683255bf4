"""Harvest from Python: crawl, and read what was crawled."""
