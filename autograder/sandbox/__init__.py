"""Sandboxes: where students' kernels run. One interface; Docker, bubblewrap, and none."""
