//! What a guess at a passphrase costs.

use super::crypto::{KEY, SecretKey};
use super::error::{Result, VaultError};
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

/// Cost of turning a passphrase into a key with Argon2id (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfCost {
    /// The least a header may ask for (OWASP's minimum: 19 MiB, 2 passes). For tests.
    pub const FLOOR: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };
    /// The least `calibrate` chooses: RFC 9106's second choice, with one lane because
    /// more lanes help only who computes them in parallel.
    pub const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// The dearest cost that takes at most a second on this machine and a quarter of its
    /// memory, at least [`KdfCost::DEFAULT`] and at most 1 GiB. Takes about two seconds.
    ///
    /// # Errors
    /// Not even the default can be computed (no memory).
    pub fn calibrate() -> Result<Self> {
        let ceiling = available_kib() / 4;
        let mut cost = Self::DEFAULT;
        loop {
            let start = std::time::Instant::now();
            cost.run(b"calibration", &[0; KEY])?;
            let next = cost.memory_kib * 2;
            // Doubling the memory doubles the time.
            let fits = start.elapsed().as_millis() * 2 < 1000;
            if !fits || u64::from(next) > ceiling.min(1024 * 1024) {
                return Ok(cost);
            }
            cost.memory_kib = next;
        }
    }

    /// Refuses costs out of bounds before any memory is taken: the header is not yet
    /// authentic when they are read.
    fn check(self) -> Result<()> {
        let memory = u64::from(self.memory_kib);
        let bounded = memory >= u64::from(Self::FLOOR.memory_kib)
            && memory <= (2 * 1024 * 1024).min(available_kib() / 2)
            && (1..=16).contains(&self.passes)
            && (1..=8).contains(&self.lanes);
        if bounded {
            Ok(())
        } else {
            Err(VaultError::UnsupportedFormat(format!(
                "key derivation cost out of bounds: {} KiB, {} passes, {} lanes",
                self.memory_kib, self.passes, self.lanes
            )))
        }
    }

    /// Argon2id, version 0x13.
    pub(super) fn run(self, password: &[u8], salt: &[u8; KEY]) -> Result<SecretKey> {
        self.check()?;
        let refused = || VaultError::UnsupportedFormat("key derivation cost".into());
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY))
            .map_err(|_| refused())?;
        let mut key = Zeroizing::new([0; KEY]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password, salt, key.as_mut_slice())
            .map_err(|_| refused())?;
        Ok(key)
    }
}

/// Memory that a key derivation may count on, in KiB. Where the system does not say,
/// 4 GiB is assumed.
fn available_kib() -> u64 {
    let from_proc = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        });
    let from_cgroup = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok())
        .map(|bytes| bytes / 1024);
    from_proc
        .unwrap_or(4 * 1024 * 1024)
        .min(from_cgroup.unwrap_or(u64::MAX))
}
