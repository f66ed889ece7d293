"""The doors of the collector: query and admin services over gRPC."""
