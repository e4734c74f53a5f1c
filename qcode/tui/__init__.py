"""The terminal app: blocks folded from events, lines drawn from blocks, screens around them."""
