"""Co-likes: which tracks, people and artists belong together, computed from the likes that are in the file.

`methods` names what can be computed. `formulas`, `kernel`, `changes` and `titles` are pure; `likes`, `derivations`,
`tables` and `links` speak SQL; `derive` and `run` put them together. `related` and `similar` answer for one track and
one person, and need neither numpy nor scipy.
"""
