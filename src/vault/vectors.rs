//! The format's test vectors: `tests/vectors/vault/v1.json` is what this code produces
//! from fixed inputs, and every malformed variant is refused. `EMPTOR_WRITE_VECTORS=1`
//! writes the file; a change of it is a change of the format.

use super::anchor::{self, Mark};
use super::crypto::{KeyPage, Name, SecretKey, derive, hex, mac};
use super::entry::{Op, Page, Row, Tip, Transaction, pack_key, pack_push};
use super::frame::{FileHeader, FrameReader, Kind, Next, seal_frame_with};
use super::header::Header;
use super::kdf::KdfCost;
use super::record::{SetHash, open_piece, plaintext, seal_piece, store_key};
use super::{ExposeSecret, RecoveryCode, Secret};
use crate::model::time::Hlc;
use serde_json::{Value, json};
use zeroize::Zeroizing;

const VAULT_ID: [u8; 16] = *b"0123456789abcdef";
const DEVICE: u32 = 7;

fn fixed(start: u8) -> SecretKey {
    Zeroizing::new(std::array::from_fn(|i| start.wrapping_add(i as u8)))
}

fn nonce(fill: u8) -> [u8; 24] {
    [fill; 24]
}

fn world() -> (Header, KeyPage) {
    Header::create_from(&fixed(0), &fixed(100), VAULT_ID, DEVICE).expect("memory")
}

fn hlc() -> Hlc {
    Hlc {
        millis: 1_700_000_000_000,
        counter: 3,
        device: DEVICE,
    }
}

fn keys_case(keys: &KeyPage) -> Value {
    let names = [
        ("hdr", Name::Header),
        ("keyring", Name::Keyring),
        ("anchor", Name::Anchor),
        ("audit", Name::Audit),
        ("rec", Name::Record),
        ("idx", Name::Index),
        ("jrn", Name::Journal),
        ("ckpt", Name::Checkpoint),
        ("mset", Name::SetHash),
    ];
    let derived: serde_json::Map<_, _> = names
        .into_iter()
        .map(|(name, key)| (name.to_owned(), json!(hex(keys.key(key)))))
        .collect();
    json!({
        "master": hex(fixed(0).as_slice()), "vault_id": hex(&VAULT_ID),
        "epoch": 1, "epoch_key": hex(fixed(100).as_slice()), "derived": derived,
    })
}

fn recovery_case() -> Value {
    let bytes: [u8; 16] = std::array::from_fn(|i| i as u8 * 17);
    let code = RecoveryCode::from_bytes(bytes);
    let text = code.reveal().expose_secret().to_owned();
    let mut wrong = text.clone().into_bytes();
    wrong[0] = if wrong[0] == b'Z' { b'Y' } else { b'Z' };
    let malformed = [
        String::from_utf8(wrong).expect("ASCII"),
        text[..33].to_owned(),
        format!("{text}0"),
        text.replace('-', "U"),
        String::new(),
    ];
    for bad in &malformed {
        assert!(RecoveryCode::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(
        RecoveryCode::parse(&text).expect("own code").bytes(),
        &bytes
    );
    json!({ "bytes": hex(&bytes), "code": text, "malformed": malformed })
}

fn header_case() -> Value {
    let (mut header, keys) = world();
    let passphrase = Secret::passphrase("cafe\u{301} au lait");
    let key_file = Secret::key_file((0..32).collect()).expect("long enough");
    let recovery = Secret::Recovery(RecoveryCode::from_bytes([5; 16]));
    for (i, (secret, label)) in [
        (&passphrase, "passphrase"),
        (&recovery, ""),
        (&key_file, "clé"),
    ]
    .into_iter()
    .enumerate()
    {
        let fill = i as u8 + 1;
        header
            .add_slot_with(
                &keys,
                secret,
                KdfCost::FLOOR,
                label,
                20_000,
                [fill; 32],
                nonce(fill),
            )
            .expect("room");
    }
    header.mark_proven(0);
    header.generation = 42;
    let bytes = header.encode_with(&keys, &nonce(9));
    let two = bytes.repeat(2);
    for secret in [&passphrase, &recovery, &key_file] {
        let unlocked = Header::unlock(&two, secret).expect("opens");
        assert_eq!(unlocked.header.generation, 42);
        assert_eq!(unlocked.header.device, DEVICE);
        assert_eq!(unlocked.keys.key(Name::Record), keys.key(Name::Record));
    }
    // One changed byte in every field; the same in both copies, so nothing can repair it.
    let mut malformed = Vec::new();
    for at in [
        0, 9, 11, 13, 15, 16, 47, 48, 63, 576, 577, 580, 592, 624, 648, 696, 728, 736, 800, 801,
        2111, 2112, 2136, 3135, 3136, 4063, 4064, 4095,
    ] {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert!(
            Header::unlock(&bad.repeat(2), &key_file).is_err(),
            "byte {at}"
        );
        malformed.push(json!({ "xor_1_at": at }));
    }
    // A cost that would take terabytes is refused before any is taken.
    let mut bomb = bytes.clone();
    bomb[68..72].copy_from_slice(&u32::MAX.to_be_bytes());
    let start = std::time::Instant::now();
    assert!(Header::unlock(&bomb.repeat(2), &passphrase).is_err());
    assert!(start.elapsed().as_secs() < 5);
    json!({
        "generation": 42, "device": DEVICE, "keyring_nonce": hex(&nonce(9)),
        "slots": [
            { "passphrase": "cafe\u{301} au lait", "memory_kib": 19 * 1024, "passes": 2, "lanes": 1, "salt": hex(&[1; 32]), "nonce": hex(&nonce(1)), "created_day": 20_000, "label": "passphrase", "proven": true },
            { "recovery": hex(&[5; 16]), "salt": hex(&[2; 32]), "nonce": hex(&nonce(2)), "created_day": 20_000, "label": "", "proven": false },
            { "key_file": hex(&(0..32).collect::<Vec<u8>>()), "salt": hex(&[3; 32]), "nonce": hex(&nonce(3)), "created_day": 20_000, "label": "clé", "proven": false },
        ],
        "copy": hex(&bytes), "malformed": malformed,
    })
}

fn record_case(keys: &KeyPage) -> Value {
    let (tree, key, value, seq) = (3, b"tea", b"green", 99);
    let place = store_key(keys, tree, key, 0);
    let stored = seal_piece(
        keys,
        &place,
        seq,
        plaintext(tree, key, 0, value.len(), value),
        &nonce(4),
    );
    let opened = open_piece(keys, &place, &stored).expect("opens");
    assert_eq!(
        (opened.part.as_slice(), opened.key.as_slice()),
        (&value[..], &key[..])
    );
    for at in 0..stored.len() {
        let mut bad = stored.clone();
        bad[at] ^= 0x80;
        assert!(open_piece(keys, &place, &bad).is_none(), "byte {at}");
    }
    let sum = SetHash::of(keys, tree, key, false, seq, value).to_bytes();
    json!({
        "tree": tree, "key": hex(key), "value": hex(value), "seq": seq, "nonce": hex(&nonce(4)),
        "store_key": hex(&place), "store_key_of_piece_1": hex(&store_key(keys, tree, key, 1)),
        "stored": hex(&stored), "set_hash": hex(&sum),
    })
}

fn file_case(keys: &KeyPage, kind: Kind, plains: &[Vec<u8>]) -> Value {
    let header = FileHeader {
        seq: 12,
        head: [0x11; 32],
        day: 19_675,
    };
    let encoded = header.encode(keys, kind);
    let first = header.first_head(kind, &encoded);
    let first_seq = if kind == Kind::Journal { 12 } else { 0 };
    let mut head = first;
    let mut bytes = encoded.to_vec();
    let mut frames = Vec::new();
    for (i, plain) in plains.iter().enumerate() {
        let seq = first_seq + i as u64;
        let frame = seal_frame_with(keys, kind, seq, &head, plain.clone(), &nonce(20 + i as u8))
            .expect("small");
        head = frame.head;
        frames.push(json!({ "nonce": hex(&nonce(20 + i as u8)), "plain": hex(plain), "head_after": hex(&head) }));
        bytes.extend_from_slice(&frame.bytes);
    }
    let read = |bytes: &[u8]| {
        let (start, rest) = bytes.split_first_chunk::<128>()?;
        FileHeader::decode(keys, kind, start)?;
        let mut reader = FrameReader::new(rest, keys, kind, first_seq, first, bytes.len() as u64);
        let mut n = 0;
        loop {
            match reader.next().ok()? {
                Next::Frame(_) => n += 1,
                Next::End => return Some(n),
                Next::Bad { .. } => return None,
            }
        }
    };
    assert_eq!(read(&bytes), Some(plains.len()));
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 4;
        assert_eq!(read(&bad), None, "byte {at}");
    }
    json!({ "seq": 12, "day": 19_675, "head": hex(&[0x11; 32]), "frames": frames, "file": hex(&bytes) })
}

fn journal_plains() -> Vec<Vec<u8>> {
    let ops = vec![
        Op::Put {
            tree: 3,
            key: b"tea".to_vec(),
            value: b"green".to_vec(),
        },
        Op::Delete {
            tree: 3,
            key: b"coffee".to_vec(),
        },
        Op::Append {
            tree: 4,
            stream: b"tea".to_vec(),
            entry: b"2.49".to_vec(),
        },
        Op::PutPack {
            tree: 4,
            key: pack_key(b"old", 0),
            value: vec![0, 0, 0, 1, b'x'],
        },
        Op::Clear {
            tree: 4,
            stream: b"old".to_vec(),
        },
    ];
    let first = Transaction {
        hlc: hlc(),
        count: 2,
        set_hash: [0x22; 32],
        ops,
    };
    let second = Transaction {
        hlc: hlc(),
        count: 2,
        set_hash: [0x33; 32],
        ops: Vec::new(),
    };
    for transaction in [&first, &second] {
        assert_eq!(
            Transaction::decode(&transaction.encode()).as_ref(),
            Some(transaction)
        );
    }
    vec![first.encode(), second.encode()]
}

fn checkpoint_plains() -> Vec<Vec<u8>> {
    let row = Row {
        tree: 3,
        key: b"tea".to_vec(),
        pack: false,
        seq: 12,
        value: b"green".to_vec(),
    };
    let rows = Page::Rows(vec![row]);
    let end = Page::End {
        hlc: hlc(),
        count: 1,
        set_hash: [0x22; 32],
    };
    for page in [&rows, &end] {
        assert_eq!(Page::decode(&page.encode()).as_ref(), Some(page));
    }
    vec![rows.encode(), end.encode()]
}

fn anchor_case(keys: &KeyPage) -> Value {
    let tip = Tip {
        seq: 12,
        head: [0x11; 32],
        hlc: hlc(),
        count: 2,
        set_hash: [0x22; 32],
    };
    let mark = Mark {
        generation: 42,
        tip,
    };
    json!({
        "counter": 5, "generation": 42, "seq": 12, "head": hex(&[0x11; 32]), "count": 2,
        "set_hash": hex(&[0x22; 32]), "slot": hex(&anchor::encode(keys, &mark, 5)),
    })
}

fn pack_case() -> Value {
    let mut pack = Vec::new();
    for entry in [&b"2.49"[..], b"", b"2.39"] {
        pack_push(&mut pack, entry);
    }
    json!({
        "stream": hex(b"tea"), "number": 1, "key": hex(&pack_key(b"tea", 1)),
        "entries": [hex(b"2.49"), "", hex(b"2.39")], "value": hex(&pack),
    })
}

#[test]
fn the_format_is_the_one_of_the_vectors() {
    let (_, keys) = world();
    let now = json!({
        "format": "emptor vault, version 1; see docs/vault-format.md",
        "hlc": { "millis": hlc().millis, "counter": hlc().counter, "device": hlc().device },
        "keys": keys_case(&keys),
        "recovery_code": recovery_case(),
        "header": header_case(),
        "record": record_case(&keys),
        "journal": file_case(&keys, Kind::Journal, &journal_plains()),
        "checkpoint": file_case(&keys, Kind::Checkpoint, &checkpoint_plains()),
        "anchor": anchor_case(&keys),
        "pack": pack_case(),
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/vault/v1.json");
    if std::env::var_os("EMPTOR_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&now).expect("JSON");
        std::fs::write(path, text + "\n").expect("written");
    }
    let text = std::fs::read_to_string(path).expect("the vectors");
    let stored: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(now, stored);
}

#[test]
fn primitives_match_their_standards() {
    // RFC 5869, test case 1, first 32 bytes of output.
    let info: Vec<u8> = (0xF0..=0xF9).collect();
    let okm = derive(&[0x0B; 22], &(0..=12).collect::<Vec<u8>>(), &[&info]);
    assert_eq!(
        hex(okm.as_slice()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    );
    // HMAC-SHA256 of "what do ya want for nothing?" under a key padded with zeros, which
    // HMAC does by itself: RFC 4231, test case 2.
    let mut key = [0; 32];
    key[..4].copy_from_slice(b"Jefe");
    let tag = mac(&key, &[b"what do ya want ", b"for nothing?"]);
    assert_eq!(
        hex(&tag),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}
