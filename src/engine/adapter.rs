//! Reading a page by an adapter's declared rules.
