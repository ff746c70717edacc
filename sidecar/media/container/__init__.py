"""Video files and codecs: the one place that opens FFmpeg's containers and decoders."""
