//! Notices in words.

use super::Notice;
use std::fmt;

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnchorMissing => f.write_str("the vault's anchor was missing: an old copy of the vault would not have been noticed"),
            Self::AnchorDamaged => f.write_str("the vault's anchor was damaged and was renewed"),
            Self::AnchorUnwritable(why) => write!(f, "the vault's anchor cannot be written: {why}"),
            Self::HeaderRepaired => f.write_str("one copy of the vault's header was damaged and was renewed"),
            Self::TornWrite => f.write_str("a write that was never acknowledged was cut off"),
            Self::CheckpointDamaged(which) => write!(f, "the vault's checkpoint {which} is damaged; an older one was used"),
            Self::JournalRepaired(which) => write!(f, "the vault's journal {which} is damaged; everything was recovered"),
            Self::StoreRebuilt => f.write_str("the vault's index was rebuilt from its journal"),
            Self::LossAccepted(from, to) => write!(f, "changes {} to {to} are lost", from + 1),
            Self::KeysNotLocked => f.write_str("keys could not be locked into memory and may reach the swap space"),
            Self::NoBallast => f.write_str("no space for the file that keeps a full disk from stopping the vault"),
        }
    }
}
