//! The polite fetcher: the only way out to the network.
