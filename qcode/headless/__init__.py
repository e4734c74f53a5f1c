"""One prompt without a screen: events to a writer, an exit code."""
