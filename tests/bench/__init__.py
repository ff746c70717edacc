"""What bench computes, beside what it measures."""
