"""Encode: images and captions become embeddings, and these the data in use."""

from pages.components import encode_form, frame

with frame.page("Encode", without_data=encode_form.show) as study:
    with frame.section(holds_up=False):
        encode_form.result(study)
    with frame.section("Images and captions to embeddings", holds_up=False):
        encode_form.show()
