//! When to tell the person, and when to keep quiet.
//!
//! * [`state`]: a rule over what is true now, with memory of what was already told;
//! * [`delivery`]: quiet hours, daily cap, weekly budget, digest;
//! * [`detector`]: "better enough" without a rule set by hand;
//! * [`plausible`]: whether a price is of the same thing and unit as before;
//! * [`wait`]: buy now or wait, with the chance of being wrong;
//! * [`after`]: price protection after a purchase, and news of a whole basket.
//!
//! Every decision gives its numbers, also the decision to say nothing.

pub mod after;
pub mod decision;
pub mod delivery;
pub mod detector;
pub mod history;
pub mod plausible;
pub mod state;
pub mod wait;

pub use decision::{Decision, Fire, Hold, Reason};
pub use delivery::{Delivery, Pending, Policy, Urgency, by_worth, deliver};
pub use state::{AlertState, Seen, Tuning};
