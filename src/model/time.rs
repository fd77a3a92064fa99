//! Time as data. Nothing here reads a clock: instants come in as arguments.

use serde::{Deserialize, Serialize};

pub use jiff::civil::Date;
pub use jiff::{SignedDuration, Timestamp};

/// A hybrid logical clock reading (Kulkarni et al. 2014): physical milliseconds, a
/// counter for events in the same millisecond, and the device that wrote. Ordered, so
/// "last writer wins" has one answer on every device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hlc {
    /// Milliseconds since the Unix epoch.
    pub millis: u64,
    /// Distinguishes events of one millisecond.
    pub counter: u32,
    /// The writing device.
    pub device: u32,
}

impl Hlc {
    /// The next reading on `device` after `self`, with the wall clock at `now`.
    /// Never goes back, even when the wall clock does.
    #[must_use]
    pub fn tick(&self, now: Timestamp, device: u32) -> Self {
        let wall = u64::try_from(now.as_millisecond()).unwrap_or(0);
        if wall > self.millis {
            Self {
                millis: wall,
                counter: 0,
                device,
            }
        } else {
            Self {
                millis: self.millis,
                counter: self.counter.saturating_add(1),
                device,
            }
        }
    }
}

/// Whole days from `earlier` to `later`, rounded down; negative if reversed.
#[must_use]
pub fn days_between(earlier: Timestamp, later: Timestamp) -> i64 {
    later.duration_since(earlier).as_secs().div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_never_goes_back() {
        let t = |s| Timestamp::from_second(s).expect("in range");
        let a = Hlc {
            millis: 0,
            counter: 0,
            device: 1,
        }
        .tick(t(100), 1);
        let b = a.tick(t(50), 1);
        let c = b.tick(t(200), 1);
        assert!(a < b && b < c);
        assert_eq!(c.counter, 0);
    }
}
