"""The parts of AnisoAlign ([A, sec. 4] arXiv 2605.07825): polar blocks, phase prior, bounded refinement."""
