"""A recorded service: what somebody else's crawl was told, told again."""
