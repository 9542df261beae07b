"""Subscriptions and notifications: who is told of what, and how it gets there. IEEE 2030.5-2018, 14.

The table `change` is the log of all writes. The matcher reads it behind a durable cursor and puts what is
owed into the outbox; notifiers empty the outbox. Nothing of it runs in the way of a request.
"""
