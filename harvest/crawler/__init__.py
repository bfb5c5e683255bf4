"""The crawl itself: claim, fetch, commit, choose the next round."""
