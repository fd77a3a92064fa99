//! Landed cost of an offer.
