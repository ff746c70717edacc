"""Training and evaluation of the hand classifier. The only code that imports TensorFlow."""
