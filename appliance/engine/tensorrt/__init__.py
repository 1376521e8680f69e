"""TensorRT, where it is: building plans and running them, here or in a worker of another Python."""
