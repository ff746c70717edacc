"""What a sample shows, label by label: measures, the hand classifier and scorers."""
