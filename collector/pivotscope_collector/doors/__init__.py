"""The doors of the collector: who may listen where, and what each door is made of."""
