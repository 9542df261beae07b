"""What both sides of the wire share: routes, methods, order, paging, and the rules of events."""
