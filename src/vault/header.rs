//! The header: two copies of the slots that wrap the master key, and the keyring.
//! Layout in `docs/vault-format.md`, section "Header".

use super::bytes::{Reader, put};
use super::crypto::{
    KEY, KeyPage, NONCE, Name, SecretKey, TAG, derive, mac, mac_fits, open, random, seal,
};
use super::error::{Result, VaultError};
use super::kdf::KdfCost;
use super::secret::{Secret, passphrase_bytes};
use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

/// Bytes of one copy.
pub(super) const COPY: usize = 4096;
/// Slots in a header.
pub const SLOTS: usize = 8;
const MAGIC: &[u8; 8] = b"VRMHDR\r\n";
const MAJOR: u16 = 1;
const SUITE: u16 = 1;
const SLOT: usize = 256;
const SLOTS_AT: usize = 64;
const KEYRING_AT: usize = SLOTS_AT + SLOTS * SLOT;
const KEYRING: usize = 1024;
const KEYRING_PLAIN: usize = KEYRING - NONCE - TAG;
const MAC_AT: usize = COPY - KEY;
const WRAPPED: usize = KEY + TAG;
const LABEL: usize = 64;

/// What kind of secret a slot takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotKind {
    /// A passphrase, stretched with Argon2id.
    Passphrase,
    /// A recovery code.
    Recovery,
    /// A key file.
    KeyFile,
}

impl SlotKind {
    fn code(self) -> u8 {
        match self {
            Self::Passphrase => 1,
            Self::Recovery => 2,
            Self::KeyFile => 5,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        [Self::Passphrase, Self::Recovery, Self::KeyFile]
            .into_iter()
            .find(|kind| kind.code() == code)
    }

    fn of(secret: &Secret) -> Self {
        match secret {
            Secret::Passphrase(_) => Self::Passphrase,
            Secret::Recovery(_) => Self::Recovery,
            Secret::KeyFile(_) => Self::KeyFile,
        }
    }
}

/// A slot as shown to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// Its place in the header, 0 to 7.
    pub index: usize,
    /// What it takes.
    pub kind: SlotKind,
    /// Cost of one guess, for passphrases.
    pub cost: Option<KdfCost>,
    /// Whether it has opened the vault since it was made.
    pub proven: bool,
    /// Days since 1970-01-01 on which it was made.
    pub created_day: u64,
    /// The owner's name for it. Readable by anyone who has the file.
    pub label: String,
}

#[derive(Clone, PartialEq, Eq)]
struct Slot {
    info: SlotInfo,
    salt: [u8; KEY],
    nonce: [u8; NONCE],
    wrapped: [u8; WRAPPED],
    commit: [u8; KEY],
}

impl Slot {
    /// Bytes 0..48: what the wrap's AAD binds.
    fn prefix(&self) -> [u8; 48] {
        let mut out = Vec::with_capacity(48);
        let cost = self.info.cost.unwrap_or(KdfCost {
            memory_kib: 0,
            passes: 0,
            lanes: 0,
        });
        out.extend_from_slice(&[self.info.kind.code(), 0, 0, 0]);
        put(&mut out, &cost.memory_kib.to_be_bytes());
        put(&mut out, &cost.passes.to_be_bytes());
        put(&mut out, &cost.lanes.to_be_bytes());
        put(&mut out, &self.salt);
        out.try_into().expect("invariant: 4 + 12 + 32 bytes")
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put(out, &self.prefix());
        put(out, &self.nonce);
        put(out, &self.wrapped);
        put(out, &self.commit);
        put(out, &self.info.created_day.to_be_bytes());
        let mut label = self.info.label.clone().into_bytes();
        label.resize(LABEL, 0);
        put(out, &label);
        put(out, &[u8::from(self.info.proven)]);
        put(out, &[0; 31]);
    }

    fn decode(index: usize, bytes: &[u8]) -> Option<Option<Self>> {
        let mut r = Reader::new(bytes);
        let code = r.u8()?;
        if code == 0 {
            return bytes.iter().all(|b| *b == 0).then_some(None);
        }
        let kind = SlotKind::from_code(code)?;
        r.zeros(3)?;
        let cost = KdfCost {
            memory_kib: r.u32()?,
            passes: r.u32()?,
            lanes: r.u32()?,
        };
        let salt = r.array()?;
        let nonce = r.array()?;
        let wrapped = r.array()?;
        let commit = r.array()?;
        let created_day = r.u64()?;
        let label = r.take(LABEL)?;
        let end = label.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
        let label = std::str::from_utf8(&label[..end]).ok()?.to_owned();
        let proven = match r.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        r.zeros(31)?;
        Some(Some(Self {
            info: SlotInfo {
                index,
                kind,
                cost: (kind == SlotKind::Passphrase).then_some(cost),
                proven,
                created_day,
                label,
            },
            salt,
            nonce,
            wrapped,
            commit,
        }))
    }

    /// The key that wraps the master key.
    fn kek(&self, vault_id: &[u8; 16], secret: &Secret) -> Result<SecretKey> {
        let salt = &self.salt;
        let stretched = match secret {
            Secret::Passphrase(text) => {
                let cost = self.info.cost.ok_or(VaultError::WrongSecret)?;
                cost.run(&passphrase_bytes(text)?, salt)?
            }
            Secret::Recovery(code) => derive(code.bytes(), salt, &[b"emptor/recovery/1"]),
            Secret::KeyFile(bytes) => derive(bytes.expose_secret(), salt, &[b"emptor/keyfile/1"]),
        };
        let index = [u8::try_from(self.info.index).unwrap_or(u8::MAX)];
        Ok(derive(
            stretched.as_slice(),
            salt,
            &[b"emptor/kek/1", vault_id, &index],
        ))
    }

    fn aad(&self, vault_id: &[u8; 16]) -> Vec<u8> {
        let mut aad = b"emptor/slot/1".to_vec();
        put(&mut aad, vault_id);
        aad.push(u8::try_from(self.info.index).unwrap_or(u8::MAX));
        put(&mut aad, &self.prefix());
        aad
    }

    fn wrap(&mut self, vault_id: &[u8; 16], kek: &SecretKey, master: &SecretKey) {
        let mut sealed = Vec::with_capacity(WRAPPED);
        sealed.extend_from_slice(master.as_slice());
        seal(kek, &self.nonce, &self.aad(vault_id), &mut sealed);
        self.wrapped.copy_from_slice(&sealed);
        self.commit = mac(kek, &[b"emptor/slot/1"]);
    }

    /// The master key, or `None` when the secret does not fit. The commitment comes
    /// first: Poly1305 alone would let one ciphertext open under two keys.
    fn unwrap(&self, vault_id: &[u8; 16], kek: &SecretKey) -> Option<SecretKey> {
        if !mac_fits(kek, &[b"emptor/slot/1"], &self.commit) {
            return None;
        }
        let mut plain = Zeroizing::new(self.wrapped.to_vec());
        open(kek, &self.nonce, &self.aad(vault_id), &mut plain)?;
        Some(Zeroizing::new(plain.as_slice().try_into().ok()?))
    }
}

/// A header, opened or about to be written.
#[derive(Clone)]
pub(super) struct Header {
    pub(super) vault_id: [u8; 16],
    /// Rises by one with every header written.
    pub(super) generation: u64,
    pub(super) device: u32,
    slots: Vec<Option<Slot>>,
    /// Keyring as stored: nonce, ciphertext, tag.
    keyring: Vec<u8>,
    epoch: u32,
}

/// Keys and header of a vault that a secret has opened.
pub(super) struct Unlocked {
    pub(super) header: Header,
    pub(super) keys: KeyPage,
    /// The slot the secret fits.
    pub(super) slot: usize,
    /// Whether a copy was unreadable or stale and the header should be written again.
    pub(super) repair: bool,
}

impl Header {
    /// A header with no slot, and the keys of its first epoch.
    pub(super) fn create() -> Result<(Self, KeyPage)> {
        let master: SecretKey = Zeroizing::new(random()?);
        let epoch_key: SecretKey = Zeroizing::new(random()?);
        let vault_id = random()?;
        let device = u32::from_be_bytes(random()?);
        Self::create_from(&master, &epoch_key, vault_id, device)
    }

    pub(super) fn create_from(
        master: &SecretKey,
        epoch_key: &SecretKey,
        vault_id: [u8; 16],
        device: u32,
    ) -> Result<(Self, KeyPage)> {
        let mut keys = KeyPage::new(master, vault_id)?;
        keys.set_epoch(1, epoch_key);
        let header = Self {
            vault_id,
            generation: 0,
            device,
            slots: vec![None; SLOTS],
            keyring: Vec::new(),
            epoch: 1,
        };
        Ok((header, keys))
    }

    pub(super) fn slots(&self) -> Vec<SlotInfo> {
        self.slots
            .iter()
            .flatten()
            .map(|s| s.info.clone())
            .collect()
    }

    /// Wraps the master key for `secret` in the first free slot and checks that it opens.
    /// `cost` counts for passphrases.
    pub(super) fn add_slot(
        &mut self,
        keys: &KeyPage,
        secret: &Secret,
        cost: KdfCost,
        label: &str,
        created_day: u64,
    ) -> Result<usize> {
        self.add_slot_with(keys, secret, cost, label, created_day, random()?, random()?)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the fields of a slot, for the test vectors"
    )]
    pub(super) fn add_slot_with(
        &mut self,
        keys: &KeyPage,
        secret: &Secret,
        cost: KdfCost,
        label: &str,
        created_day: u64,
        salt: [u8; KEY],
        nonce: [u8; NONCE],
    ) -> Result<usize> {
        let index = self
            .slots
            .iter()
            .position(Option::is_none)
            .ok_or(VaultError::Slot("all eight are taken"))?;
        if label.len() > LABEL || label.contains('\0') {
            return Err(VaultError::Slot("a label has at most 64 bytes"));
        }
        let kind = SlotKind::of(secret);
        let mut slot = Slot {
            info: SlotInfo {
                index,
                kind,
                cost: (kind == SlotKind::Passphrase).then_some(cost),
                proven: false,
                created_day,
                label: label.to_owned(),
            },
            salt,
            nonce,
            wrapped: [0; WRAPPED],
            commit: [0; KEY],
        };
        let kek = slot.kek(&self.vault_id, secret)?;
        let master = Zeroizing::new(*keys.key(Name::Master));
        slot.wrap(&self.vault_id, &kek, &master);
        self.slots[index] = Some(slot);
        Ok(index)
    }

    /// Empties a slot, unless it is the last one proven to open the vault.
    pub(super) fn remove_slot(&mut self, index: usize) -> Result<()> {
        if self.slots.get(index).is_none_or(Option::is_none) {
            return Err(VaultError::Slot("empty"));
        }
        let other = |s: &Slot| s.info.proven && s.info.index != index;
        if !self.slots.iter().flatten().any(other) {
            return Err(VaultError::LastSlot);
        }
        self.slots[index] = None;
        Ok(())
    }

    /// Notes that a slot has opened the vault. Returns whether that is news.
    pub(super) fn mark_proven(&mut self, index: usize) -> bool {
        match self.slots.get_mut(index) {
            Some(Some(slot)) if !slot.info.proven => {
                slot.info.proven = true;
                true
            }
            _ => false,
        }
    }

    /// The slot that `secret` opens.
    pub(super) fn find_slot(&self, secret: &Secret) -> Result<Option<(usize, SecretKey)>> {
        for slot in self.slots.iter().flatten() {
            if slot.info.kind != SlotKind::of(secret) {
                continue;
            }
            let kek = slot.kek(&self.vault_id, secret)?;
            if let Some(master) = slot.unwrap(&self.vault_id, &kek) {
                return Ok(Some((slot.info.index, master)));
            }
        }
        Ok(None)
    }

    /// The next generation of this header: 4,096 bytes, to be written twice.
    pub(super) fn encode(&mut self, keys: &KeyPage) -> Result<Vec<u8>> {
        self.generation += 1;
        let nonce = random()?;
        Ok(self.encode_with(keys, &nonce))
    }

    pub(super) fn encode_with(&mut self, keys: &KeyPage, nonce: &[u8; NONCE]) -> Vec<u8> {
        let mut out = Vec::with_capacity(COPY);
        put(&mut out, MAGIC);
        put(&mut out, &MAJOR.to_be_bytes());
        put(&mut out, &0u16.to_be_bytes());
        put(&mut out, &SUITE.to_be_bytes());
        put(&mut out, &(SLOTS as u16).to_be_bytes());
        put(&mut out, &self.vault_id);
        put(&mut out, &self.generation.to_be_bytes());
        out.resize(SLOTS_AT, 0);
        let aad = out.clone();
        for slot in &self.slots {
            match slot {
                Some(slot) => slot.encode(&mut out),
                None => out.resize(out.len() + SLOT, 0),
            }
        }
        self.keyring = self.seal_keyring(keys, nonce, &aad);
        put(&mut out, &self.keyring);
        out.resize(MAC_AT, 0);
        let tag = mac(keys.key(Name::Header), &[&out]);
        put(&mut out, &tag);
        out
    }

    /// Meta (device u32, current epoch u32, zeros to 24), then one entry per epoch.
    fn seal_keyring(&self, keys: &KeyPage, nonce: &[u8; NONCE], aad: &[u8]) -> Vec<u8> {
        let epoch_key = keys.key(Name::Epoch);
        let mut plain = Zeroizing::new(Vec::with_capacity(KEYRING_PLAIN + TAG));
        put(&mut plain, &self.device.to_be_bytes());
        put(&mut plain, &self.epoch.to_be_bytes());
        plain.resize(24, 0);
        put(&mut plain, &self.epoch.to_be_bytes());
        put(&mut plain, &[0; 12]);
        put(&mut plain, epoch_key);
        put(&mut plain, &mac(epoch_key, &[b"emptor/epoch/1"]));
        plain.resize(KEYRING_PLAIN, 0);
        seal(keys.key(Name::Keyring), nonce, aad, &mut plain);
        let mut out = nonce.to_vec();
        put(&mut out, &plain);
        out
    }

    /// Reads one copy. Not yet authentic: the keys for that are inside.
    fn decode(bytes: &[u8]) -> Result<Option<Self>> {
        let mut r = Reader::new(bytes);
        if r.take(8) != Some(MAGIC) {
            return Ok(None);
        }
        if r.u16() != Some(MAJOR) {
            return Err(VaultError::UnsupportedFormat("major version".into()));
        }
        Ok(Self::decode_fields(r, bytes))
    }

    fn decode_fields(mut r: Reader<'_>, bytes: &[u8]) -> Option<Self> {
        r.zeros(2)?;
        if r.u16()? != SUITE || usize::from(r.u16()?) != SLOTS {
            return None;
        }
        let vault_id = r.array()?;
        let generation = r.u64()?;
        r.zeros(24)?;
        let mut slots = Vec::with_capacity(SLOTS);
        for index in 0..SLOTS {
            slots.push(Slot::decode(index, r.take(SLOT)?)?);
        }
        let keyring = r.take(KEYRING)?.to_vec();
        bytes[KEYRING_AT + KEYRING..MAC_AT]
            .iter()
            .all(|b| *b == 0)
            .then_some(Self {
                vault_id,
                generation,
                device: 0,
                slots,
                keyring,
                epoch: 0,
            })
    }

    /// Everything after the master key is known: header MAC, keyring, epoch keys.
    fn finish(mut self, copy: &[u8], master: &SecretKey) -> Result<Option<(Self, KeyPage)>> {
        let mut keys = KeyPage::new(master, self.vault_id)?;
        if !mac_fits(keys.key(Name::Header), &[&copy[..MAC_AT]], &copy[MAC_AT..]) {
            return Ok(None);
        }
        let Some((device, epoch, epoch_key)) = self.open_keyring(&keys, &copy[..SLOTS_AT]) else {
            return Ok(None);
        };
        self.device = device;
        self.epoch = epoch;
        keys.set_epoch(epoch, &epoch_key);
        Ok(Some((self, keys)))
    }

    /// Whether a stored copy is intact.
    pub(super) fn is_authentic(keys: &KeyPage, copy: &[u8]) -> bool {
        copy.len() == COPY && mac_fits(keys.key(Name::Header), &[&copy[..MAC_AT]], &copy[MAC_AT..])
    }

    fn open_keyring(&self, keys: &KeyPage, aad: &[u8]) -> Option<(u32, u32, SecretKey)> {
        let nonce = self.keyring[..NONCE].try_into().ok()?;
        let mut plain = Zeroizing::new(self.keyring[NONCE..].to_vec());
        open(keys.key(Name::Keyring), &nonce, aad, &mut plain)?;
        let mut r = Reader::new(&plain);
        let device = r.u32()?;
        let epoch = r.u32()?;
        r.zeros(16)?;
        if r.u32()? != epoch {
            return None;
        }
        r.zeros(12)?;
        let key: SecretKey = Zeroizing::new(r.array()?);
        let commit: [u8; KEY] = r.array()?;
        mac_fits(&key, &[b"emptor/epoch/1"], &commit).then_some((device, epoch, key))
    }

    /// Opens the header file with a secret: the valid copy of the highest generation.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`] when no slot of a readable copy opens;
    /// [`VaultError::Damaged`] when no copy is readable or authentic.
    pub(super) fn unlock(file: &[u8], secret: &Secret) -> Result<Unlocked> {
        let damaged = |what: &str| VaultError::damaged(what, 0, None);
        let mut copies = Vec::new();
        let mut unsupported = None;
        for copy in file.chunks_exact(COPY).take(2) {
            match Self::decode(copy) {
                Ok(Some(header)) => copies.push((header, copy)),
                Ok(None) => {}
                Err(e) => unsupported = Some(e),
            }
        }
        if copies.is_empty() {
            return Err(unsupported.unwrap_or_else(|| damaged("both copies of the header")));
        }
        let repair = file.len() != 2 * COPY || file[..COPY] != file[COPY..];
        copies.sort_by_key(|(header, _)| std::cmp::Reverse(header.generation));
        let mut fits_a_slot = false;
        let mut refused = None;
        for (header, copy) in copies {
            // A cost out of bounds in one copy must not hide the other one.
            let found = match header.find_slot(secret) {
                Ok(found) => found,
                Err(e) => {
                    refused = Some(e);
                    continue;
                }
            };
            let Some((slot, master)) = found else {
                continue;
            };
            fits_a_slot = true;
            if let Some((header, keys)) = header.finish(copy, &master)? {
                return Ok(Unlocked {
                    header,
                    keys,
                    slot,
                    repair,
                });
            }
            // Identical copies cost a second derivation only when both are damaged.
        }
        match refused {
            _ if fits_a_slot => Err(damaged("the header's checksum does not fit")),
            Some(error) => Err(error),
            None => Err(VaultError::WrongSecret),
        }
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header")
            .field("generation", &self.generation)
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}

const _: () = assert!(KEYRING_PLAIN == 984);
