"""Scripts in the styles that people write, with what a careful reader finds in them."""
