"""Kernels in slots: provisioned by a zygote, driven through Jupyter's own protocol."""
