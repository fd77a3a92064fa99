//! robots.txt files, remembered.

use crate::engine::robots::Access;
use crate::model::time::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a file counts (RFC 9309, 2.4: no longer than 24 hours).
const FRESH: SignedDuration = SignedDuration::from_hours(24);
/// How long "the server could not say" counts before it is asked again.
const RETRY: SignedDuration = SignedDuration::from_mins(30);
/// Files kept.
const MAX_FILES: usize = 512;

/// What one origin answered.
#[derive(Clone, Debug)]
pub struct Known {
    /// The rules.
    pub access: Arc<Access>,
    /// The HTTP status of the answer.
    pub status: u16,
    at: Timestamp,
}

/// The files of all origins.
#[derive(Debug, Default)]
pub struct RobotsCache {
    files: Mutex<HashMap<String, Known>>,
}

impl RobotsCache {
    /// What is known and still fresh. A clock set back makes it stale.
    pub fn get(&self, origin: &str, now: Timestamp) -> Option<Known> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let known = files.get(origin)?;
        let fresh = match *known.access {
            Access::Unreachable => RETRY,
            Access::Rules(_) | Access::Unrestricted => FRESH,
        };
        let age = now.duration_since(known.at);
        (!age.is_negative() && age < fresh).then(|| known.clone())
    }

    /// Remembers an answer.
    pub fn put(&self, origin: String, status: u16, access: Access, now: Timestamp) -> Known {
        let known = Known {
            access: Arc::new(access),
            status,
            at: now,
        };
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= MAX_FILES
            && !files.contains_key(&origin)
            && let Some(oldest) = files
                .iter()
                .min_by_key(|(_, k)| k.at)
                .map(|(o, _)| o.clone())
        {
            files.remove(&oldest);
        }
        files.insert(origin, known.clone());
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_grow_old_and_make_room() {
        let cache = RobotsCache::default();
        let t0 = Timestamp::from_second(1_000_000).expect("time");
        cache.put("a".into(), 404, Access::Unrestricted, t0);
        cache.put("b".into(), 500, Access::Unreachable, t0);
        assert!(
            cache
                .get("a", t0 + SignedDuration::from_hours(23))
                .is_some()
        );
        assert!(
            cache
                .get("a", t0 + SignedDuration::from_hours(24))
                .is_none()
        );
        assert!(cache.get("a", t0 - SignedDuration::from_secs(1)).is_none());
        assert!(cache.get("b", t0 + SignedDuration::from_mins(29)).is_some());
        assert!(cache.get("b", t0 + SignedDuration::from_mins(30)).is_none());
        for i in 0..MAX_FILES {
            let at = t0 + SignedDuration::from_secs(1);
            cache.put(i.to_string(), 404, Access::Unrestricted, at);
        }
        assert!(cache.get("a", t0).is_none() && cache.get("b", t0).is_none());
        assert!(cache.files.lock().expect("lock").len() <= MAX_FILES);
    }
}
