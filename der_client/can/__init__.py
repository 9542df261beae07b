"""Batteries on CAN: driver, DBC mapping, battery simulator and a socketcand hub."""
