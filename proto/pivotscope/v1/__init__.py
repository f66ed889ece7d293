"""The wire contract, generated from the .proto files beside this one. Never edited by hand."""
