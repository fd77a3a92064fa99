use super::*;
use proptest::prelude::*;
use std::path::PathBuf;

fn allowed(file: &str, agent: &str, url: &str) -> bool {
    Robots::parse(file.as_bytes()).decide(agent, url).allowed
}

/// The folder with real data, or `None` where it is missing and may be.
fn corpora() -> Option<PathBuf> {
    let dir = std::env::var_os("EMPTOR_CORPORA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    );
    if dir.join("robots").is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("EMPTOR_REQUIRE_CORPORA").is_none_or(|v| v != "1"),
        "no corpora at {}",
        dir.display()
    );
    println!("skipped: no corpora");
    None
}

#[test]
fn longest_pattern_wins_and_a_tie_allows() {
    let file = "User-agent: *\nDisallow: /shop\nAllow: /shop/item\nDisallow: /same\nAllow: /same";
    assert!(!allowed(file, "x", "https://a.example/shop/cart"));
    assert!(allowed(file, "x", "https://a.example/shop/item/1"));
    assert!(allowed(file, "x", "https://a.example/same"));
    assert!(allowed(file, "x", "https://a.example/other"));
}

#[test]
fn groups_of_one_agent_are_merged_and_replace_the_star() {
    let file = "User-agent: a\nUser-agent: b\nDisallow: /1\n\n\
                User-agent: *\nDisallow: /2\n\nUser-Agent: A\nDisallow: /3\n";
    let may = |agent, path: &str| allowed(file, agent, &format!("https://s.example{path}"));
    assert!(!may("A", "/1") && may("A", "/2") && !may("A", "/3"));
    assert!(!may("b", "/1") && may("b", "/2") && may("b", "/3"));
    assert!(may("c", "/1") && !may("c", "/2") && may("c", "/3"));
}

#[test]
fn an_empty_group_of_its_own_frees_an_agent() {
    let file = "User-agent: *\nDisallow: /\nUser-agent: emptor\nDisallow:\n";
    assert!(allowed(file, "emptor", "https://s.example/x"));
    assert!(!allowed(file, "other", "https://s.example/x"));
}

#[test]
fn stars_and_the_end_mark() {
    for (pattern, path, expected) in [
        ("/fish", "/fish/salmon", true),
        ("/fish$", "/fish", true),
        ("/fish$", "/fish/", false),
        ("/*.php", "/dir/index.php?x=1", true),
        ("/*.php$", "/dir/index.php?x=1", false),
        ("/*.php$", "/a.php/b.php", true),
        ("/a*b*c$", "/a-b-c", true),
        ("/a*b*c$", "/a-c-b", false),
        ("*/cart", "/de/cart/1", true),
        ("/$", "/", true),
        ("/$", "/x", false),
        ("/**$", "/x", true),
        ("/a$b", "/a$bc", true),
        ("/ab*b$", "/ab", false),
    ] {
        assert_eq!(matches(pattern, path), expected, "{pattern} on {path}");
    }
}

#[test]
fn bytes_outside_ascii_and_escapes() {
    let mut file =
        b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /k\xc3\xbcche\rDisallow: /%c3%a4".to_vec();
    let robots = Robots::parse(&file);
    assert!(!robots.decide("x", "https://s.example/k%C3%BCche").allowed);
    assert!(!robots.decide("x", "https://s.example/%C3%A4").allowed);
    file.extend_from_slice(b"\nnonsense\n<html>: /\n");
    assert_eq!(Robots::parse(&file), robots);
}

#[test]
fn a_decision_names_its_rule_and_pause() {
    let robots = Robots::parse(
        b"Sitemap: https://s.example/map.xml\nUser-agent: *\nCrawl-delay: 2.5\n\nDisallow: /private # keep out\n",
    );
    let no = robots.decide("emptor", "https://s.example/private/1");
    assert_eq!(
        no.rule.as_ref().map(|r| (r.line, r.pattern.as_str())),
        Some((5, "/private"))
    );
    assert_eq!(no.crawl_delay, Some(Duration::from_millis(2500)));
    assert!(!no.allowed);
    assert_eq!(robots.sitemaps(), ["https://s.example/map.xml"]);
    for odd in ["-1", "NaN", "inf", "1e300", "soon", ""] {
        let file = format!("User-agent: *\nCrawl-delay: {odd}\n");
        assert_eq!(
            Robots::parse(file.as_bytes()).decide("x", "/").crawl_delay,
            None
        );
    }
}

#[test]
fn a_pause_is_for_those_named_above_it() {
    let robots = Robots::parse(
        b"User-agent: slow\nUser-agent: slower\nCrawl-delay: 10\n\nUser-agent: *\nDisallow: /x\nCrawl-delay: 2\n\nUser-agent: free\nAllow: /\n",
    );
    let pause = |agent| robots.decide(agent, "/y").crawl_delay.map(|d| d.as_secs());
    assert_eq!(pause("slow"), Some(10));
    assert_eq!(pause("slower"), Some(10));
    assert_eq!(pause("emptor"), Some(2));
    assert_eq!(pause("free"), None);
    // The rule below is for all of them, as in Google's matcher.
    assert!(!robots.decide("slow", "/x").allowed);
}

#[test]
fn the_status_decides_without_a_file() {
    let may =
        |status| Access::from_answer(status, b"User-agent: *\nDisallow: /x").decide("e", "/x");
    assert!(!may(200).allowed);
    assert!(may(404).allowed && may(403).allowed && may(410).allowed);
    assert!(!may(500).allowed && !may(503).allowed && !may(429).allowed);
}

#[test]
fn bytes_after_the_limit_are_not_read() {
    let mut file = b"User-agent: *\n".to_vec();
    while file.len() < MAX_BYTES - 8 {
        file.extend_from_slice(b"#\n");
    }
    file.truncate(MAX_BYTES - 8);
    file.extend_from_slice(b"\nDisallow: /everything\nDisallow: /late\n");
    // The rule on the border would read `Disall…`: it must vanish, not be shortened.
    assert!(allowed(&String::from_utf8_lossy(&file), "x", "/everything"));
    assert!(allowed(&String::from_utf8_lossy(&file), "x", "/late"));
}

#[test]
fn a_file_made_to_be_slow_is_not() {
    // 40,000 patterns on an 8 KiB path: quadratic matching would take hours.
    let file = format!("User-agent: *\n{}", "Disallow: /*a*a*b\n".repeat(28_000));
    let path = format!("/{}", "a".repeat(8000));
    assert!(allowed(&file, "x", &path));
    let file = format!("User-agent: *\nDisallow: /{}b\n", "*a".repeat(8000));
    assert!(allowed(&file, "x", &path));
}

#[test]
fn google_cases() {
    let Some(dir) = corpora() else { return };
    let text = std::fs::read_to_string(dir.join("robots/google-cases.jsonl")).expect("cases");
    let mut wrong = Vec::new();
    let mut total = 0;
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let file: Vec<u8> = case["robots_latin1"]
            .as_str()
            .expect("text")
            .chars()
            .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
            .collect();
        let agent = case["ua"].as_str().expect("agent");
        let url = case["url"].as_str().expect("address");
        total += 1;
        if Robots::parse(&file).decide(agent, url).allowed != case["allowed"] {
            wrong.push(case["test"].clone());
        }
    }
    println!("{}/{total} of Google's cases", total - wrong.len());
    assert!(total >= 100 && wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn real_files_agree_with_the_oracle() {
    let Some(dir) = corpora() else { return };
    let dir = dir.join("robots");
    let text = std::fs::read_to_string(dir.join("real-oracle.tsv")).expect("oracle");
    let mut files = std::collections::HashMap::new();
    let (mut total, mut wrong) = (0_u32, Vec::new());
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let [file, agent, url, expected] = parts[..] else {
            panic!("odd line {line}");
        };
        let robots = files.entry(file.to_owned()).or_insert_with(|| {
            Robots::parse(&std::fs::read(dir.join("real").join(file)).expect("file"))
        });
        total += 1;
        if robots.decide(agent, url).allowed != (expected == "1") {
            wrong.push(line);
        }
    }
    println!("{} of {total} answers agree", total as usize - wrong.len());
    assert!(
        total > 1000 && wrong.len() * 1000 <= total as usize,
        "{wrong:#?}"
    );
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(file in proptest::collection::vec(any::<u8>(), 0..400), url in ".{0,60}") {
        let _ = Robots::parse(&file).decide("emptor", &url);
    }

    /// The fast matcher agrees with the slow one that follows the definition.
    #[test]
    fn matcher_agrees_with_the_definition(pattern in "/?[ab*$]{0,8}", path in "/[ab]{0,8}") {
        fn slow(pattern: &[u8], path: &[u8]) -> bool {
            match pattern {
                [] => true,
                [b'$'] => path.is_empty(),
                [b'*', rest @ ..] => (0..=path.len()).any(|i| slow(rest, &path[i..])),
                [b, rest @ ..] => path.first() == Some(b) && slow(rest, &path[1..]),
            }
        }
        prop_assert_eq!(matches(&pattern, &path), slow(pattern.as_bytes(), path.as_bytes()));
    }
}
