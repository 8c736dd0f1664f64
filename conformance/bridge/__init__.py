"""Python's `socket` module over @sockeye/net in a Node process."""
