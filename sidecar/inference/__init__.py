"""Detection of samples: the ``Detector`` seam, its threads and its worker processes."""
