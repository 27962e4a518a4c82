"""An assignment whose library function is forbidden."""
