use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("address")
}

fn vet(url: &str, allow: &[&str]) -> Result<(), Refusal> {
    let entries: Vec<String> = allow.iter().map(|s| (*s).to_owned()).collect();
    let (allow, bad) = AllowPrivate::parse(&entries);
    assert!(bad.is_empty(), "{bad:?}");
    match Url::parse(url) {
        Ok(url) => vet_url(&url, &allow, 8192),
        // What is no address cannot be fetched either.
        Err(_) => Err(Refusal::NoHost),
    }
}

/// First and last address of every range that must be refused, written out again here
/// from the registries, so that a slip in the table of the guard shows.
const V4_RANGES: &[(&str, &str)] = &[
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
];

const V6_RANGES: &[(&str, &str)] = &[
    ("::", "::ffff:ffff"),
    ("::ffff:0:0", "::ffff:ffff:ffff"),
    ("::ffff:0:0:0", "::ffff:0:ffff:ffff"),
    ("64:ff9b::", "64:ff9b::ffff:ffff"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
];

/// Addresses of real services: refusing them would make the guard useless.
const PUBLIC: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "151.101.1.140",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001:80b::200e",
    "2001:200::",
    "2001:db7:ffff::1",
    "2003::1",
    "2400:cb00::1",
];

fn spread_v4() -> Vec<Ipv4Addr> {
    let mut all = Vec::new();
    for (first, last) in V4_RANGES {
        let (IpAddr::V4(a), IpAddr::V4(b)) = (ip(first), ip(last)) else {
            panic!("table");
        };
        let (a, b) = (u32::from(a), u32::from(b));
        // The ends, and points in between.
        for i in 0..=8_u64 {
            let at = u64::from(a) + u64::from(b - a) * i / 8;
            all.push(Ipv4Addr::from(u32::try_from(at).expect("in range")));
        }
    }
    all
}

/// An IPv4 address in every IPv6 dress there is.
fn dressed(a: Ipv4Addr) -> Vec<Ipv6Addr> {
    let [w, x, y, z] = a.octets();
    let (hi, lo) = (u16::from_be_bytes([w, x]), u16::from_be_bytes([y, z]));
    vec![
        a.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, hi, lo),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, hi, lo),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, hi, lo),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, hi, lo),
        Ipv6Addr::new(0x2002, hi, lo, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !hi, !lo),
        Ipv6Addr::new(0x2a00, 1, 2, 3, 0, 0x5efe, hi, lo),
        Ipv6Addr::new(0x2a00, 1, 2, 3, 0x200, 0x5efe, hi, lo),
    ]
}

/// An IPv4 address as browsers and resolvers have accepted it.
fn spellings(a: Ipv4Addr) -> Vec<String> {
    let n = u32::from(a);
    let [w, x, y, z] = a.octets();
    vec![
        a.to_string(),
        n.to_string(),
        format!("{n:#x}"),
        format!("{n:#o}").replace("0o", "0"),
        format!("{w:#x}.{x:#x}.{y:#x}.{z:#x}"),
        format!("0{w:o}.0{x:o}.0{y:o}.0{z:o}"),
        format!("{w}.{}", n & 0x00ff_ffff),
        format!("{w}.{x}.{}", n & 0xffff),
        format!("{a}."),
        // Digits of other scripts and other dots are mapped to ASCII by the URL standard.
        a.to_string().replace('.', "\u{3002}"),
        a.to_string().replace('1', "\u{ff11}"),
        format!("%3{}{}", &a.to_string()[..1], &a.to_string()[1..]),
    ]
}

#[test]
fn a_matrix_of_addresses_and_spellings() {
    let none = AllowPrivate::default();
    let mut cases = 0_u32;
    let mut refused = |address: IpAddr| {
        cases += 1;
        assert!(!is_public(address), "{address}");
        // One bad answer among good ones condemns all.
        let answers = [ip("1.1.1.1"), address, ip("2606:4700:4700::1111")];
        let verdict = vet_addresses("shop.example", &answers, &none, &[]);
        assert!(matches!(verdict, Err(Refusal::Private { address: a, .. }) if a == address));
    };
    for a in spread_v4() {
        refused(a.into());
        for six in dressed(a) {
            refused(six.into());
        }
    }
    for (first, last) in V6_RANGES {
        for end in [first, last] {
            refused(ip(end));
        }
    }
    for a in spread_v4() {
        let literals = spellings(a)
            .into_iter()
            .chain(dressed(a).into_iter().map(|six| format!("[{six}]")));
        for literal in literals {
            for scheme in ["http", "https"] {
                cases += 1;
                let url = format!("{scheme}://{literal}/");
                assert!(vet(&url, &[]).is_err(), "{url}");
            }
        }
    }
    println!("{cases} cases");
    assert!(cases >= 2000);
}

#[test]
fn the_public_net_stays_reachable() {
    let none = AllowPrivate::default();
    for address in PUBLIC {
        assert!(is_public(ip(address)), "{address}");
        assert_eq!(
            vet_addresses("a.example", &[ip(address)], &none, &[]),
            Ok(())
        );
    }
    for url in [
        "https://shop.example.com/p/1?q=2",
        "http://shop.example.com/",
        "http://shop.example.com:80/",
        "https://shop.example.com:443/",
        "http://shop.example.com:443/",
        "https://b\u{fc}cher.example.de/",
        "https://homely.example.com/",
        "https://local.example.com/",
        "https://10.0.0.1.example.com/",
        "https://xn--bcher-kva.de/",
    ] {
        assert_eq!(vet(url, &[]), Ok(()), "{url}");
    }
}

#[test]
fn what_no_shop_has_in_its_address() {
    let cases = [
        ("ftp://a.example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("data:text/html,x", "scheme"),
        ("gopher://a.example.com/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("ws://a.example.com/", "scheme"),
        ("https://user@a.example.com/", "userinfo"),
        ("https://user:secret@a.example.com/", "userinfo"),
        ("https://:secret@a.example.com/", "userinfo"),
        ("https://a.example.com:22/", "port"),
        ("https://a.example.com:8443/", "port"),
        ("http://a.example.com:6379/", "port"),
        ("http://a.example.com:0/", "port"),
        ("http://localhost/", "local"),
        ("http://LOCALHOST/", "local"),
        ("http://intranet/", "local"),
        ("http://printer.local/", "local"),
        ("http://a.b.internal/", "local"),
        ("http://box.lan/", "local"),
        ("http://nas.home.arpa/", "local"),
        ("http://x.localhost/", "local"),
        ("http://abc.onion/", "local"),
        ("http://a.example.com./", "local"),
        ("http://metadata.google.internal/", "local"),
        ("http://local/", "local"),
        ("http://8.8.8.8/", "literal"),
        ("http://[2606:4700:4700::1111]/", "literal"),
        ("http://0/", "literal"),
        ("http://[::]/", "literal"),
        ("http://[::ffff:7f00:1]/", "literal"),
    ];
    for (url, kind) in cases {
        let refusal = vet(url, &[]).expect_err(url);
        let found = match refusal {
            Refusal::Scheme(_) => "scheme",
            Refusal::Userinfo => "userinfo",
            Refusal::Port(_) => "port",
            Refusal::LocalName(_) => "local",
            Refusal::Literal(_) => "literal",
            _ => "other",
        };
        assert_eq!(found, kind, "{url}");
    }
    let long = format!("https://a.example.com/{}", "x".repeat(9000));
    assert!(matches!(vet(&long, &[]), Err(Refusal::TooLong(8192))));
}

#[test]
fn exceptions_are_exact() {
    let allow = [
        "127.0.0.1:8080",
        "nas.lan",
        "[::1]:9000",
        "fd00::5",
        "Box.Local:80",
    ];
    for url in [
        "http://127.0.0.1:8080/",
        "http://2130706433:8080/",
        "http://nas.lan/",
        "https://nas.lan:5001/x",
        "http://[::1]:9000/",
        "http://[fd00::5]:1234/",
        "http://box.local/",
    ] {
        assert_eq!(vet(url, &allow), Ok(()), "{url}");
    }
    for url in [
        "http://127.0.0.1/",
        "http://127.0.0.1:8081/",
        "http://127.0.0.2:8080/",
        "http://nas.lan.example.com:5001/",
        "http://xnas.lan/",
        "http://a.nas.lan/",
        "http://[::1]/",
        "http://[fd00::6]/",
        "https://box.local/",
        "http://u@nas.lan/",
        "ftp://nas.lan/",
    ] {
        assert!(vet(url, &allow).is_err(), "{url}");
    }
    let entries = ["", "http://a", "a/b", "u@h", "*", "*.lan", "a b", "h:99999"].map(String::from);
    let (allow, bad) = AllowPrivate::parse(&entries);
    assert_eq!(bad, entries, "{allow:?}");
}

#[test]
fn an_exception_for_a_name_holds_for_its_addresses() {
    let (allow, _) = AllowPrivate::parse(&["nas.example:8080".to_owned()]);
    let home = [ip("192.168.1.5")];
    assert_eq!(vet_addresses("nas.example", &home, &allow, &[]), Ok(()));
    assert!(vet_addresses("other.example", &home, &allow, &[]).is_err());
    // The name's other ports are refused as text, since its addresses are not vetted.
    let url = Url::parse("http://nas.example/").expect("URL");
    assert_eq!(
        vet_url(&url, &allow, 8192),
        Err(Refusal::ListedPort("nas.example".to_owned()))
    );
}

#[test]
fn neighbours_at_home_are_not_public() {
    let none = AllowPrivate::default();
    let home = [
        Prefix::new(ip("2a02:8108:1:2::5"), 64),
        Prefix::new(ip("84.1.2.3"), 32),
    ];
    let vet = |a| vet_addresses("shop.example", &[ip(a)], &none, &home);
    assert!(vet("2a02:8108:1:2:ffff::9").is_err());
    assert!(vet("2a02:8108:1:3::9").is_ok());
    assert!(vet("84.1.2.3").is_err());
    assert!(vet("84.1.2.4").is_ok());
}

proptest! {
    #[test]
    fn no_address_in_a_dress_is_public(n in any::<u32>()) {
        for six in dressed(Ipv4Addr::from(n)) {
            prop_assert!(!is_public(six.into()), "{}", six);
        }
    }

    #[test]
    fn any_text_is_answered(text in ".{0,80}") {
        let _ = AllowPrivate::parse(std::slice::from_ref(&text));
        if let Ok(url) = Url::parse(&text) {
            let _ = vet_url(&url, &AllowPrivate::default(), 8192);
        }
    }

    /// The name of a host never decides alone: whatever passes as text is a name with
    /// a dot on a web port, to be vetted again by its addresses.
    #[test]
    fn only_names_pass(host in "[a-z0-9.\\[\\]:%x-]{1,30}") {
        if let Ok(url) = Url::parse(&format!("http://{host}/"))
            && vet_url(&url, &AllowPrivate::default(), 8192).is_ok()
        {
            prop_assert!(matches!(url.host(), Some(Host::Domain(d)) if d.contains('.')));
        }
    }
}
