"""Where the person writes: text, its history and drafts, completion, pastes, pictures."""
