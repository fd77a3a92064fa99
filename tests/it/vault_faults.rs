//! A disk that fails: at every single operation, in every way, an acknowledged
//! transaction survives and no half of one appears. And power cuts: what was written
//! but not synced is kept, lost or torn at random.

use crate::vault_support::{LOGS, NOTES, copy_dir, create, key_file, options, paths, torture};
use emptor::vault::{Disk, DiskFile, Options, RealDisk, Vault, VaultError};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Writes half, then says that the disk is full. Only once.
    FullOnce,
    /// As above, and full it stays; nothing can be truncated either.
    FullForEver,
    /// A sync fails once and then lies, as Linux does.
    SyncOnce,
    /// Everything fails with an I/O error from then on.
    Dead,
}

/// Counts operations and makes the `at`-th fail.
#[derive(Debug)]
struct FaultyDisk {
    fault: Fault,
    at: u64,
    count: AtomicU64,
}

impl FaultyDisk {
    fn step(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// The error for an operation other than a write or sync.
    fn other(&self) -> io::Result<()> {
        match self.fault {
            Fault::Dead if self.step() >= self.at => Err(io::Error::from_raw_os_error(5)),
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn DiskFile>,
    disk: Arc<FaultyDisk>,
}

/// `Disk` for a shared `FaultyDisk`.
#[derive(Debug)]
struct Faulty(Arc<FaultyDisk>);

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.other()?;
        let (file, disk) = (RealDisk.create(path)?, Arc::clone(&self.0));
        Ok(Box::new(FaultyFile { file, disk }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.other()?;
        let (file, disk) = (RealDisk.open(path)?, Arc::clone(&self.0));
        Ok(Box::new(FaultyFile { file, disk }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.other()?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.other()?;
        RealDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.other()?;
        RealDisk.sync_dir(path)
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let n = match self.disk.fault {
            Fault::SyncOnce => return self.file.write_at(bytes, offset),
            _ => self.disk.step(),
        };
        let half = &bytes[..bytes.len() / 2];
        match self.disk.fault {
            Fault::FullOnce if n == self.disk.at => {
                self.file.write_at(half, offset)?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Fault::FullForEver if n >= self.disk.at => {
                self.file.write_at(half, offset)?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Fault::Dead if n >= self.disk.at => Err(io::Error::from_raw_os_error(5)),
            _ => self.file.write_at(bytes, offset),
        }
    }

    fn sync(&self) -> io::Result<()> {
        match self.disk.fault {
            Fault::SyncOnce if self.disk.step() == self.disk.at => {
                Err(io::Error::from_raw_os_error(5))
            }
            Fault::Dead if self.disk.step() >= self.disk.at => Err(io::Error::from_raw_os_error(5)),
            _ => self.file.sync(),
        }
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let full = self.disk.fault == Fault::FullForEver;
        if full && self.disk.count.load(Ordering::Relaxed) > self.disk.at {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.disk.other()?;
        self.file.truncate(len)
    }
}

fn small(disk: Arc<dyn Disk>) -> Options {
    Options {
        checkpoint_after: 4_000,
        disk,
        ..options()
    }
}

/// One transaction over two trees and several records.
fn write(vault: &Vault, n: u32) -> Result<(), VaultError> {
    vault.transaction(|tx| {
        tx.put(NOTES, b"first", &n.to_be_bytes().repeat(100))?;
        tx.put(NOTES, &(n % 5).to_be_bytes(), &n.to_be_bytes())?;
        tx.append(LOGS, b"all", &n.to_be_bytes())?;
        tx.put(NOTES, b"last", &n.to_be_bytes())
    })
}

/// The entries of the log; the other records must agree with the last of them.
fn history(vault: &Vault) -> Vec<u32> {
    let mut all = Vec::new();
    vault
        .read_log(LOGS, b"all", |entry| {
            all.push(u32::from_be_bytes(entry.try_into().expect("four bytes")));
            true
        })
        .expect("read");
    if let Some(last) = all.last() {
        let bytes = last.to_be_bytes();
        assert_eq!(
            vault.get(NOTES, b"last").expect("read").as_deref(),
            Some(&bytes[..])
        );
        assert_eq!(
            vault.get(NOTES, b"first").expect("read"),
            Some(bytes.repeat(100))
        );
        let by_key = vault.get(NOTES, &(last % 5).to_be_bytes()).expect("read");
        assert_eq!(by_key.as_deref(), Some(&bytes[..]));
    }
    all
}

/// Writes with the fault in place; returns what was acknowledged, or `None` if the fault
/// came so late that nothing failed.
fn write_with_fault(dir: &Path, fault: Fault, at: u64) -> Option<Vec<u32>> {
    let disk = Arc::new(FaultyDisk {
        fault,
        at,
        count: AtomicU64::new(0),
    });
    let mut acknowledged = Vec::new();
    if let Ok(vault) = Vault::open(
        &paths(dir),
        &key_file(),
        small(Arc::new(Faulty(Arc::clone(&disk)))),
    ) {
        for n in 0..20 {
            match write(&vault, n) {
                Ok(()) => acknowledged.push(n),
                // What was acknowledged can still be read.
                Err(_) => assert_eq!(history(&vault), acknowledged, "{fault:?} at {at}"),
            }
        }
        if fault == Fault::SyncOnce && acknowledged.len() < 20 {
            let failed = acknowledged.len() as u32;
            assert!(
                acknowledged.iter().all(|n| *n < failed),
                "wrote after a failed sync"
            );
            assert!(vault.status().expect("open").read_only.is_some());
        }
        vault.lock();
    }
    (disk.count.load(Ordering::Relaxed) > at).then_some(acknowledged)
}

#[test]
fn a_failing_disk_never_loses_what_was_acknowledged() {
    let place = tempfile::tempdir().expect("a directory");
    let original = place.path().join("original");
    create(&original, options()).lock();
    let step = if torture() { 1 } else { 4 };
    let mut runs = 0;
    for fault in [
        Fault::FullOnce,
        Fault::FullForEver,
        Fault::SyncOnce,
        Fault::Dead,
    ] {
        for at in (0..).step_by(step) {
            let dir = place.path().join("copy");
            copy_dir(&original, &dir);
            let acknowledged = write_with_fault(&dir, fault, at);
            let vault = Vault::open(&paths(&dir), &key_file(), options())
                .unwrap_or_else(|e| panic!("{fault:?} at {at}: {e}"));
            let found = history(&vault);
            drop(vault);
            std::fs::remove_dir_all(&dir).expect("removed");
            let Some(acknowledged) = acknowledged else {
                break;
            };
            runs += 1;
            // One more than acknowledged may be there: the answer was lost, not the write.
            let extra = found.strip_prefix(&acknowledged[..]);
            assert!(
                extra.is_some_and(|e| e.len() <= 1),
                "{fault:?} at {at}: {found:?} {acknowledged:?}"
            );
        }
    }
    println!("{runs} faults");
    assert!(runs > 40);
}

/// A disk that remembers what a power cut could take away. Files and names live here
/// until they are synced; `cut` writes one possible state after a cut to a directory.
#[derive(Debug, Default, Clone)]
struct Volatile {
    /// Contents by inode.
    inodes: Vec<Inode>,
    /// Names as programs see them.
    names: BTreeMap<PathBuf, usize>,
    /// Names as the disk has them.
    durable: BTreeMap<PathBuf, usize>,
}

#[derive(Debug, Default, Clone)]
struct Inode {
    synced: Vec<u8>,
    /// Writes and truncations since the last sync.
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => {
                let (start, end) = (*offset as usize, *offset as usize + data.len());
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[start..end].copy_from_slice(data);
            }
            Self::Truncate(len) => bytes.resize(*len as usize, 0),
        }
    }
}

/// A small generator: the seed of a failing case is in the panic message.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

impl Volatile {
    /// One state in which a power cut may leave the disk.
    fn cut(&self, seed: u64, to: &Path, from: &Path) {
        let mut dice = Dice(seed);
        let mut names = self.durable.clone();
        // Changes of names that were not synced happen or not, each on its own.
        let all: std::collections::BTreeSet<_> =
            self.names.keys().chain(self.durable.keys()).collect();
        for name in all {
            if dice.roll(2) == 0 {
                match self.names.get(name) {
                    Some(inode) => names.insert(name.clone(), *inode),
                    None => names.remove(name),
                };
            }
        }
        for (name, inode) in names {
            let inode = &self.inodes[inode];
            let mut bytes = inode.synced.clone();
            for change in &inode.pending {
                match (dice.roll(4), change) {
                    (0 | 1, change) => change.apply(&mut bytes),
                    // Torn: some of its sectors.
                    (2, Change::Write(offset, data)) => {
                        for (i, sector) in data.chunks(512).enumerate() {
                            if dice.roll(2) == 0 {
                                Change::Write(offset + 512 * i as u64, sector.to_vec())
                                    .apply(&mut bytes);
                            }
                        }
                    }
                    _ => {}
                }
            }
            let path = to.join(name.strip_prefix(from).expect("inside"));
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, bytes).expect("written");
        }
    }
}

/// The disk now, and as it was after every operation.
#[derive(Debug, Clone)]
struct VolatileDisk(Arc<Mutex<(Volatile, Vec<Volatile>)>>);

#[derive(Debug)]
struct VolatileFile {
    disk: VolatileDisk,
    inode: usize,
    real: Box<dyn DiskFile>,
}

impl VolatileDisk {
    fn with<T>(&self, f: impl FnOnce(&mut Volatile) -> T) -> T {
        let mut guard = self.0.lock().expect("no panic");
        let out = f(&mut guard.0);
        let now = guard.0.clone();
        guard.1.push(now);
        out
    }

    fn file(&self, inode: usize, real: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let disk = self.clone();
        Box::new(VolatileFile { disk, inode, real })
    }
}

impl Disk for VolatileDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let inode = self.with(|v| {
            if let Some(inode) = v.names.get(path).copied() {
                v.inodes[inode].pending.push(Change::Truncate(0));
                return inode;
            }
            v.inodes.push(Inode::default());
            v.names.insert(path.to_owned(), v.inodes.len() - 1);
            v.inodes.len() - 1
        });
        Ok(self.file(inode, RealDisk.create(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let real = RealDisk.open(path)?;
        let inode = self.with(|v| v.names.get(path).copied());
        Ok(self.file(inode.ok_or(io::ErrorKind::NotFound)?, real))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.with(|v| {
            if let Some(inode) = v.names.remove(from) {
                v.names.insert(to.to_owned(), inode);
            }
        });
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.with(|v| v.names.remove(path));
        RealDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.with(|v| {
            v.durable.retain(|name, _| name.parent() != Some(path));
            let here = v
                .names
                .iter()
                .filter(|(name, _)| name.parent() == Some(path));
            let here: Vec<_> = here.map(|(name, inode)| (name.clone(), *inode)).collect();
            v.durable.extend(here);
        });
        Ok(())
    }
}

impl DiskFile for VolatileFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.with(|v| {
            v.inodes[self.inode]
                .pending
                .push(Change::Write(offset, bytes.to_vec()))
        });
        self.real.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.with(|v| {
            let inode = &mut v.inodes[self.inode];
            for change in std::mem::take(&mut inode.pending) {
                change.apply(&mut inode.synced);
            }
        });
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk
            .with(|v| v.inodes[self.inode].pending.push(Change::Truncate(len)));
        self.real.truncate(len)
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let place = tempfile::tempdir().expect("a directory");
    let original = place.path().join("original");
    create(&original, options()).lock();
    // The disk starts with what is there, all of it durable.
    let mut volatile = Volatile::default();
    for file in crate::vault_support::files(&original) {
        let text = file.to_string_lossy();
        if text.contains("/store") || text.ends_with("/ballast") {
            continue;
        }
        let synced = std::fs::read(&file).expect("read");
        volatile.inodes.push(Inode {
            synced,
            pending: Vec::new(),
        });
        volatile.names.insert(file, volatile.inodes.len() - 1);
    }
    volatile.durable = volatile.names.clone();
    let disk = VolatileDisk(Arc::new(Mutex::new((volatile, Vec::new()))));
    // A store that lags behind, as sled's unsynced files may.
    let lagging = place.path().join("lagging");
    copy_dir(&original.join("vault/store.1"), &lagging);
    let options_here = small(Arc::new(disk.clone()));
    let vault = Vault::open(&paths(&original), &key_file(), options_here).expect("opened");

    let step = if torture() { 1 } else { 5 };
    let each = if torture() { 40 } else { 2 };
    let mut states = 0;
    for n in 0..40 {
        disk.0.lock().expect("no panic").1.clear();
        write(&vault, n).expect("committed");
        let moments = std::mem::take(&mut disk.0.lock().expect("no panic").1);
        let last = moments.len() - 1;
        for (i, moment) in moments.iter().enumerate() {
            if i != last && !(i + n as usize).is_multiple_of(step) {
                continue;
            }
            for round in 0..each {
                let seed = u64::from(n) * 1_000_003 + i as u64 * 1_009 + round;
                let dir = place.path().join("cut");
                moment.cut(seed, &dir, &original);
                if seed.is_multiple_of(2) {
                    copy_dir(&lagging, &dir.join("vault/store.1"));
                }
                let opened = Vault::open(&paths(&dir), &key_file(), options());
                let vault = opened.unwrap_or_else(|e| panic!("seed {seed}, {n} at {i}: {e}"));
                let found = history(&vault);
                let done = (0..=n).collect::<Vec<_>>();
                // The operation that makes it durable comes before the last one.
                let fits = found == done || (i != last && found == done[..n as usize]);
                assert!(fits, "seed {seed}, {n} at {i}: {found:?}");
                drop(vault);
                std::fs::remove_dir_all(&dir).expect("removed");
                states += 1;
            }
        }
    }
    println!("{states} power cuts");
}
