//! Better-offer state machine.
