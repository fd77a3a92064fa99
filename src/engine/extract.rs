//! HTML to offer candidates to one verdict.
