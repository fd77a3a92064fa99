//! Constraints, effective cost, short list.
