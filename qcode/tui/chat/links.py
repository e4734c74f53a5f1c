"""The way to an address: a browser of the desktop."""

import os
import webbrowser


def follow(address: str) -> bool:
    """Show it. False where there is only a browser that would draw on this terminal, as over ssh.
    Blocks until the browser has begun."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if type(browser) is webbrowser.GenericBrowser and not os.environ.get("BROWSER"):
        return False  # lynx, w3m and the like; one that the person named is their choice
    return browser.open(address)
