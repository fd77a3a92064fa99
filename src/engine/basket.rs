//! Whole-basket optimisation.
