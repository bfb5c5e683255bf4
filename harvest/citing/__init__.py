"""How to cite a file and the tool that made it, and how it was made, in sentences from its ledger."""
