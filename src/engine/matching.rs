//! Is this offer that want?
