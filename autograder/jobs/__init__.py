"""A class of submissions: a Dask cluster, progress, resume, the store of attempts."""
