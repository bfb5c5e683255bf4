"""Read a list for players with ipytv."""

import json
import sys
from pathlib import Path

from ipytv import playlist

found = playlist.loadf(str(Path(sys.argv[1]) / "x.m3u"))
print(json.dumps([[one.name, int(one.duration), one.url] for one in found]))
