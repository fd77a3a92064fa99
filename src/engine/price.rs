//! Text to money.
