//! Foreign bytes to a bounded HTML tree.
