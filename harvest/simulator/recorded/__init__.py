"""A recorded service: the replies that another crawl received, given again."""
