"""One kind of strip or control each; they know what they show and nothing above."""
