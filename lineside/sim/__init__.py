"""Simulators as products: `lineside sim inverter|battery|ev|load|site`, with faults on command."""
