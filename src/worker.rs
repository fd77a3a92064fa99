//! The sandboxed child that parses foreign bytes.
