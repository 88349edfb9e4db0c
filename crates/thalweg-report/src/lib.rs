//! From records to figures (SVG, PNG) and self-contained interactive pages. No tensors.
