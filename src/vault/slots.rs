//! Changing what opens a vault.

use super::anchor::Mark;
use super::error::{Result, VaultError};
use super::header::{Header, SlotInfo};
use super::open::write_header;
use super::secret::check_passphrase;
use super::{Inner, RecoveryCode, Secret, SecretString, Vault, Writer, journal};

impl Vault {
    /// The slots of the header.
    ///
    /// # Errors
    /// The vault is locked.
    pub fn slots(&self) -> Result<Vec<SlotInfo>> {
        let guard = self.inner.writer();
        Ok(guard.as_ref().ok_or(VaultError::Locked)?.header.slots())
    }

    /// Adds a passphrase, recovery code or key file and returns its slot. The new slot
    /// counts as proven once it has opened the vault. The label is not secret.
    ///
    /// # Errors
    /// All slots are taken, the passphrase is weak, or the header cannot be written.
    pub fn add_slot(&self, secret: &Secret, label: &str) -> Result<usize> {
        if let Secret::Passphrase(text) = secret {
            check_passphrase(text)?;
        }
        self.inner.change_header(|header, inner, writer| {
            let day = inner.day();
            header.add_slot(&writer.keys, secret, inner.options.kdf, label, day)
        })
    }

    /// Removes a slot. Old copies of the header still open with its secret: if that
    /// leaked, make a new vault from a backup.
    ///
    /// # Errors
    /// [`VaultError::LastSlot`] if no other slot has opened the vault yet.
    pub fn remove_slot(&self, index: usize) -> Result<()> {
        self.inner
            .change_header(|header, _, _| header.remove_slot(index))
    }

    /// Replaces a passphrase. The new slot is written and tried before the old one goes,
    /// in one change of the header. Old copies of the header, in backups of the disk for
    /// instance, still open with the old passphrase.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`] if `old` opens no slot; the new one is weak.
    pub fn change_passphrase(&self, old: &SecretString, new: &SecretString) -> Result<()> {
        check_passphrase(new)?;
        let (old, new) = (
            Secret::Passphrase(old.clone()),
            Secret::Passphrase(new.clone()),
        );
        self.inner.change_header(|header, inner, writer| {
            let (index, _) = header.find_slot(&old)?.ok_or(VaultError::WrongSecret)?;
            let label = header
                .slots()
                .into_iter()
                .find(|slot| slot.index == index)
                .map_or_else(String::new, |slot| slot.label);
            let cost = inner.options.kdf;
            let added = header.add_slot(&writer.keys, &new, cost, &label, inner.day())?;
            let opens = header
                .find_slot(&new)?
                .is_some_and(|(slot, _)| slot == added);
            if !opens {
                return Err(VaultError::Slot(
                    "the new passphrase does not open its slot",
                ));
            }
            header.mark_proven(added);
            header.remove_slot(index)
        })
    }

    /// Makes a new recovery code in a slot of its own. Remove the old slot once the new
    /// code is written down and has been used.
    ///
    /// # Errors
    /// As [`Vault::add_slot`].
    pub fn add_recovery_code(&self) -> Result<RecoveryCode> {
        let code = RecoveryCode::generate()?;
        self.add_slot(&Secret::Recovery(code.clone()), "recovery code")?;
        Ok(code)
    }

    /// Whether a secret opens this vault, and notes that it does: a slot that was proven
    /// lets another one be removed. Takes as long as opening.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`] if it does not.
    pub fn prove(&self, secret: &Secret) -> Result<()> {
        self.inner.change_header(|header, _, _| {
            let (index, _) = header.find_slot(secret)?.ok_or(VaultError::WrongSecret)?;
            header.mark_proven(index);
            Ok(())
        })
    }
}

impl Inner {
    fn day(&self) -> u64 {
        let millis = u64::try_from((self.options.clock)().as_millisecond()).unwrap_or(0);
        millis / journal::MILLIS_PER_DAY
    }

    /// Changes a copy of the header, writes it, and only then takes it over.
    fn change_header<T>(
        &self,
        change: impl FnOnce(&mut Header, &Self, &Writer) -> Result<T>,
    ) -> Result<T> {
        let mut guard = self.writer();
        let writer = guard.as_mut().ok_or(VaultError::Locked)?;
        if let Some(reason) = &writer.read_only {
            return Err(VaultError::ReadOnly(reason.clone()));
        }
        let mut header = writer.header.clone();
        let out = change(&mut header, self, writer)?;
        write_header(&self.files, &writer.keys, &mut header)?;
        writer.header = header;
        let tip = self.view().as_ref().ok_or(VaultError::Locked)?.tip;
        let mark = Mark {
            generation: writer.header.generation,
            tip,
        };
        writer.anchor(&mark);
        Ok(out)
    }
}
