"""A fleet of IEEE 2030.5 clients that puts load on a server and measures it: `lineside bench fleet`.

It knows the standard and no server: real certificates, links that are followed, reports and Responses.
"""

from lineside.fleet.identities import Identity, issue, load, write_csv
from lineside.fleet.share import Plan, run_share
from lineside.fleet.tally import Tally

__all__ = ["Identity", "Plan", "Tally", "issue", "load", "run_share", "write_csv"]
