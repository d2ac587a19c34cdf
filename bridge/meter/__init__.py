"""`python -m bridge.meter`: the transformers' meters, from Modbus TCP to `T/reading`."""
