"""The replies of a crawl, kept in a file beside the main one; the same tables can be made of them again.

Knows bodies and what happened, nothing of lists or tables; what an act means is the crawler's matter.
"""
