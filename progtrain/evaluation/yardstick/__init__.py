"""What is measured: the validation set, the protocol, and that both stay as they were locked."""
