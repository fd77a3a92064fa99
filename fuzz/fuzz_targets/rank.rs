//! Any request to rank: an error, or finite costs whose terms add up, each offer once.
#![no_main]

use emptor::engine::rank::{Request, rank};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = serde_json::from_slice::<Request>(bytes) else {
        return;
    };
    let Ok(reply) = rank(&request) else {
        return;
    };
    assert_eq!(
        reply.ranked.len() + reply.rejected.len(),
        request.offers.len()
    );
    let ids: BTreeSet<&str> = reply.ranked.iter().map(|r| r.id).collect();
    assert_eq!(ids.len(), reply.ranked.len());
    assert!(reply.shortlist.len() <= request.k);
    assert!(reply.shortlist.iter().all(|id| ids.contains(id)));
    for (place, ranked) in reply.ranked.iter().enumerate() {
        assert_eq!(ranked.rank, place + 1);
        let cost = ranked.effective_cents;
        assert!(cost.lo <= cost.mid && cost.mid <= cost.hi, "{ranked:?}");
    }
    let written = serde_json::to_string(&reply).expect("writes");
    assert!(!written.contains("\"mid\":null"));
});
