"""A small contrastive model of our own: scenes, captions, the model, the loop, and the snapshots it leaves.

Nothing here imports torch until it is used, so that the command line answers at once.
"""
