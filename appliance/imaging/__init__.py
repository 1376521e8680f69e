"""Bytes → upright pixels: probe, decode, orient, limits, letterbox, thumbnails, renditions.

Every path through this package asks the same three questions in the same place: what the bytes
are (`sniff`), whether they are allowed and complete (`limits`, `truncation`) and which way is up
(`orient`). `picture.open_picture` asks them all; nothing else opens a picture.

Decisions that hold everywhere:

- Alpha is dropped, as OpenCV drops it: what a model sees is what a thumbnail and a rendition
  show. Only a browser that is given the original bytes honours their transparency.
- 16-bit grey is cut to its high byte for models, as OpenCV does, and stretched over its actual
  range for people, because 10- and 12-bit cameras would look black. 16-bit colour keeps its high
  byte for both. 32-bit integer and float pictures are stretched for both.
- CMYK and Lab become sRGB through the embedded ICC profile when it is usable.
- Of an animation or a multi-page file the first frame counts.
"""
