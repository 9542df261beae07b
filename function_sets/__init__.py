"""What both sides of the wire share: routes, methods, order, paging, and the rules of events."""

from function_sets.model import METHODS, Access, FunctionSet, Key, Mark, Methods, Route
from function_sets.paging import BadQueryError, ListQuery, after_bounds, page, parse_query, sort_key
from function_sets.routes import FUNCTION_SETS, ROUTES, route_of, routes_of_type

__all__ = [
    "FUNCTION_SETS",
    "METHODS",
    "ROUTES",
    "Access",
    "BadQueryError",
    "FunctionSet",
    "Key",
    "ListQuery",
    "Mark",
    "Methods",
    "Route",
    "after_bounds",
    "page",
    "parse_query",
    "route_of",
    "routes_of_type",
    "sort_key",
]
