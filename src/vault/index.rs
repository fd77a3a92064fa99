//! Which records there are: every key, in order, with what is needed to know that the
//! store returns exactly the record last written. Values stay in the store.

use std::collections::BTreeMap;
use std::ops::Bound;

/// What the index knows about a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Meta {
    /// The transaction that wrote it.
    pub(super) seq: u64,
    /// Length of its value.
    pub(super) len: u32,
    /// Whether it is a pack of log entries.
    pub(super) pack: bool,
}

/// A key's place in the arena. 24 bytes a record beside the key itself; a map of boxed
/// keys would take four times as much for short keys.
#[derive(Clone, Copy)]
struct Place {
    meta: Meta,
    start: u32,
    klen: u16,
}

/// The keys of one tree: a sorted arena, and what changed since it was built.
#[derive(Default)]
struct TreeIndex {
    arena: Vec<u8>,
    places: Vec<Place>,
    recent: BTreeMap<Box<[u8]>, Option<Meta>>,
    count: u64,
}

impl TreeIndex {
    fn key_at(&self, i: usize) -> &[u8] {
        let place = &self.places[i];
        &self.arena[place.start as usize..][..usize::from(place.klen)]
    }

    /// First place whose key is not less than (or, if `after`, greater than) `key`.
    fn seek(&self, key: &[u8], after: bool) -> usize {
        self.places.partition_point(|p| {
            let k = &self.arena[p.start as usize..][..usize::from(p.klen)];
            k < key || (after && k == key)
        })
    }

    fn in_arena(&self, key: &[u8]) -> Option<Meta> {
        let i = self.seek(key, false);
        (i < self.places.len() && self.key_at(i) == key).then(|| self.places[i].meta)
    }

    fn get(&self, key: &[u8]) -> Option<Meta> {
        match self.recent.get(key) {
            Some(recent) => *recent,
            None => self.in_arena(key),
        }
    }

    fn set(&mut self, key: &[u8], meta: Option<Meta>) {
        let before = self.get(key).is_some();
        match (before, meta.is_some()) {
            (false, true) => self.count += 1,
            (true, false) => self.count -= 1,
            _ => {}
        }
        let end = self
            .places
            .last()
            .map(|p| p.start as usize + usize::from(p.klen));
        let is_last = self.places.is_empty() || self.key_at(self.places.len() - 1) < key;
        let in_order = is_last && self.recent.is_empty() && end.unwrap_or(0) == self.arena.len();
        match meta {
            // Checkpoints arrive in order, and so do most new keys with times in them.
            Some(meta) if in_order => self.push(key, meta),
            _ => {
                let i = self.seek(key, false);
                match meta {
                    Some(meta)
                        if i < self.places.len()
                            && self.key_at(i) == key
                            && !self.recent.contains_key(key) =>
                    {
                        self.places[i].meta = meta;
                    }
                    _ => {
                        self.recent.insert(key.into(), meta);
                        if self.recent.len() > 256 + self.places.len() / 16 {
                            self.merge();
                        }
                    }
                }
            }
        }
    }

    fn push(&mut self, key: &[u8], meta: Meta) {
        let start = u32::try_from(self.arena.len()).expect("invariant: keys of a tree under 4 GiB");
        let klen = u16::try_from(key.len()).expect("invariant: keys are bounded");
        self.arena.extend_from_slice(key);
        self.places.push(Place { meta, start, klen });
    }

    fn merge(&mut self) {
        let mut merged = Self {
            arena: Vec::with_capacity(self.arena.len() + 64 * self.recent.len()),
            places: Vec::with_capacity(self.places.len() + self.recent.len()),
            recent: BTreeMap::new(),
            count: self.count,
        };
        self.walk(Bound::Unbounded, Bound::Unbounded, &mut |key, meta| {
            merged.push(key, meta);
            true
        });
        merged.arena.shrink_to_fit();
        *self = merged;
    }

    /// Calls `visit` with the keys in range, in order, until it returns false.
    fn walk(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        visit: &mut dyn FnMut(&[u8], Meta) -> bool,
    ) {
        if empty_range(from, to) {
            return;
        }
        let mut i = match from {
            Bound::Included(key) => self.seek(key, false),
            Bound::Excluded(key) => self.seek(key, true),
            Bound::Unbounded => 0,
        };
        let within = |key: &[u8]| match to {
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
            Bound::Unbounded => true,
        };
        let mut recent = self.recent.range::<[u8], _>((from, to)).peekable();
        loop {
            let old = (i < self.places.len())
                .then(|| self.key_at(i))
                .filter(|k| within(k));
            let next = match (old, recent.peek()) {
                (None, None) => return,
                (Some(old), Some((new, _))) if old < &***new => {
                    i += 1;
                    Some((old, self.places[i - 1].meta))
                }
                (Some(old), None) => {
                    i += 1;
                    Some((old, self.places[i - 1].meta))
                }
                (old, Some(_)) => {
                    let (new, meta) = recent.next().expect("invariant: peeked");
                    if old == Some(&**new) {
                        i += 1;
                    }
                    meta.map(|meta| (&**new, meta))
                }
            };
            if let Some((key, meta)) = next
                && !visit(key, meta)
            {
                return;
            }
        }
    }
}

/// `BTreeMap::range` panics on a range that ends before it starts.
fn empty_range(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(a), Bound::Included(b)) => a > b,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => {
            a >= b
        }
        _ => false,
    }
}

/// All keys of a vault.
#[derive(Default)]
pub(super) struct Index {
    trees: BTreeMap<u16, TreeIndex>,
}

impl Index {
    pub(super) fn get(&self, tree: u16, key: &[u8]) -> Option<Meta> {
        self.trees.get(&tree)?.get(key)
    }

    pub(super) fn set(&mut self, tree: u16, key: &[u8], meta: Option<Meta>) {
        self.trees.entry(tree).or_default().set(key, meta);
    }

    /// Number of records in a tree.
    pub(super) fn count(&self, tree: u16) -> u64 {
        self.trees.get(&tree).map_or(0, |t| t.count)
    }

    /// Number of records.
    pub(super) fn total(&self) -> u64 {
        self.trees.values().map(|t| t.count).sum()
    }

    pub(super) fn trees(&self) -> Vec<u16> {
        self.trees
            .iter()
            .filter(|(_, t)| t.count > 0)
            .map(|(id, _)| *id)
            .collect()
    }

    /// At most `limit` keys in range, in order.
    pub(super) fn keys(
        &self,
        tree: u16,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Vec<(Vec<u8>, Meta)> {
        let mut found = Vec::new();
        if let Some(tree) = self.trees.get(&tree) {
            tree.walk(from, to, &mut |key, meta| {
                found.push((key.to_vec(), meta));
                found.len() < limit
            });
        }
        found
    }

    /// The last pack of a stream: its number and length.
    pub(super) fn last_pack(&self, tree: u16, stream: &[u8]) -> Option<(u32, Meta)> {
        let index = self.trees.get(&tree)?;
        let first = super::entry::pack_key(stream, 0);
        // Numbers have no gaps: gallop instead of walking all packs.
        index.get(&first)?;
        let has = |n: u32| index.get(&super::entry::pack_key(stream, n));
        let (mut low, mut step) = (0u32, 1u32);
        while has(low.saturating_add(step)).is_some() {
            low += step;
            step = step.saturating_mul(2);
        }
        let mut high = low.saturating_add(step);
        while high - low > 1 {
            let mid = low + (high - low) / 2;
            if has(mid).is_some() {
                low = mid;
            } else {
                high = mid;
            }
        }
        has(low).map(|meta| (low, meta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_sorted_map(
            steps in prop::collection::vec((prop::collection::vec(0u8..4, 0..4), prop::option::weighted(0.7, 0u64..99)), 0..600),
            from in prop::collection::vec(0u8..4, 0..3),
            to in prop::collection::vec(0u8..4, 0..3),
        ) {
            let mut index = Index::default();
            let mut model = BTreeMap::new();
            for (key, seq) in steps {
                let meta = seq.map(|seq| Meta { seq, len: 1, pack: false });
                index.set(7, &key, meta);
                match meta {
                    Some(meta) => model.insert(key, meta),
                    None => model.remove(&key),
                };
            }
            prop_assert_eq!(index.count(7), model.len() as u64);
            let all = index.keys(7, Bound::Unbounded, Bound::Unbounded, usize::MAX);
            prop_assert_eq!(&all, &model.clone().into_iter().collect::<Vec<_>>());
            let some = index.keys(7, Bound::Excluded(&from), Bound::Included(&to), usize::MAX);
            let expected: Vec<_> = model.iter().filter(|(k, _)| **k > from && **k <= to).map(|(k, m)| (k.clone(), *m)).collect();
            prop_assert_eq!(some, expected);
            for (key, meta) in &model {
                prop_assert_eq!(index.get(7, key), Some(*meta));
            }
        }
    }

    #[test]
    fn finds_the_last_pack() {
        let mut index = Index::default();
        assert!(index.last_pack(1, b"a").is_none());
        for n in 0..37 {
            let meta = Meta {
                seq: u64::from(n),
                len: n,
                pack: true,
            };
            index.set(1, &super::super::entry::pack_key(b"a", n), Some(meta));
            assert_eq!(
                index.last_pack(1, b"a").map(|(n, m)| (n, m.len)),
                Some((n, n))
            );
        }
        assert!(index.last_pack(1, b"ab").is_none());
    }
}
