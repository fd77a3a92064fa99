//! Product addresses without tracking and affiliate parameters.
//!
//! [`canonical`] is applied to every address that is stored; [`findings`] says what an
//! address still carries and is asked before anything is shown or opened.

use std::borrow::Cow;
use url::Url;

/// Why a part of an address does not belong to the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Says which advertisement, letter or page led here.
    Tracking,
    /// Says who earns a commission.
    Affiliate,
    /// Names a visit.
    Session,
    /// The address of a middleman that passes the visit on.
    Redirect,
    /// A user name or password in the address.
    Credentials,
}

/// A part of an address that does not belong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The parameter, path segment or host.
    pub part: String,
    /// What it is for.
    pub purpose: Purpose,
}

/// Parameters by full name, lower case, sorted.
const NAMES: &[(&str, Purpose)] = {
    use Purpose::{Affiliate as A, Session as S, Tracking as T};
    &[
        ("_branch_match_id", T),
        ("_bta_c", T),
        ("_bta_tid", T),
        ("_ga", T),
        ("_gl", T),
        ("_hsenc", T),
        ("_hsmi", T),
        ("_ke", T),
        ("_kx", T),
        ("_openstat", T),
        ("aaid", A),
        ("aff", A),
        ("aff_fcid", A),
        ("aff_fsk", A),
        ("aff_id", A),
        ("aff_platform", A),
        ("aff_sub", A),
        ("aff_trace_key", A),
        ("affid", A),
        ("affiliate", A),
        ("affiliate_id", A),
        ("affiliateid", A),
        ("afftrack", A),
        ("ascsubtag", A),
        ("asc_campaign", A),
        ("asc_refurl", A),
        ("asc_source", A),
        ("at_campaign", T),
        ("at_medium", T),
        ("awc", A),
        ("awinaffid", A),
        ("awinmid", A),
        ("campid", A),
        ("cjdata", A),
        ("cjevent", A),
        ("click_id", A),
        ("clickid", A),
        ("clickref", A),
        ("cmpid", T),
        ("creativeasin", A),
        ("dclid", T),
        ("dicbo", T),
        ("ecid", T),
        ("ef_id", T),
        ("epik", T),
        ("fbclid", T),
        ("gad_campaignid", T),
        ("gad_source", T),
        ("gbraid", T),
        ("gclid", T),
        ("gclsrc", T),
        ("hsctatracking", T),
        ("icid", T),
        ("igsh", T),
        ("igshid", T),
        ("irclickid", A),
        ("irgwc", A),
        ("jsessionid", S),
        ("li_fat_id", T),
        ("linkcode", A),
        ("linkid", A),
        ("mc_cid", T),
        ("mc_eid", T),
        ("mkcid", A),
        ("mkevt", A),
        ("mkrid", A),
        ("mkt_tok", T),
        ("msclkid", T),
        ("ncid", T),
        ("oly_anon_id", T),
        ("oly_enc_id", T),
        ("partner_id", A),
        ("partnerid", A),
        ("phpsessid", S),
        ("ranEAID", A),
        ("ranMID", A),
        ("ranSiteID", A),
        ("rdt_cid", T),
        ("ref_", T),
        ("ref_src", T),
        ("ref_url", T),
        ("referrer", T),
        ("s_cid", T),
        ("s_kwcid", T),
        ("sca_ref", A),
        ("sclid", T),
        ("sessionid", S),
        ("soluteclid", A),
        ("spm", T),
        ("srsltid", T),
        ("ssaid", A),
        ("subid", A),
        ("toolid", A),
        ("tduid", A),
        ("trk", T),
        ("trkid", T),
        ("ttclid", T),
        ("twclid", T),
        ("vero_conv", T),
        ("vero_id", T),
        ("wbraid", T),
        ("wickedid", T),
        ("wt_mc", T),
        ("wt.mc_id", T),
        ("wtmc", T),
        ("yclid", T),
        ("ysclid", T),
        ("zanpid", A),
    ]
};

/// Parameters by the beginning of their name.
const PREFIXES: &[(&str, Purpose)] = {
    use Purpose::{Affiliate as A, Tracking as T};
    &[
        ("aff_short_", A),
        ("algo_", T),
        ("emcs_", T),
        ("etcc_", T),
        ("ga_", T),
        ("hsa_", T),
        ("itm_", T),
        ("matomo_", T),
        ("mtm_", T),
        ("pd_rd_", T),
        ("pf_rd_", T),
        ("piwik_", T),
        ("pk_", T),
        ("stm_", T),
        ("utm_", T),
    ]
};

/// Middlemen: a host (or what is below it), a path, and the parameters that may hold the
/// target.
const REDIRECTS: &[(&str, &str, &[&str])] = &[
    ("anrdoezrs.net", "/", &["url"]),
    ("awin1.com", "/", &["ued", "p"]),
    ("clk.tradedoubler.com", "/", &["url"]),
    ("click.linksynergy.com", "/", &["murl"]),
    ("dpbolvw.net", "/", &["url"]),
    ("go.redirectingat.com", "/", &["url"]),
    ("go.skimresources.com", "/", &["url"]),
    ("google.com", "/url", &["q", "url"]),
    ("jdoqocy.com", "/", &["url"]),
    ("kqzyfj.com", "/", &["url"]),
    ("l.facebook.com", "/l.php", &["u"]),
    ("l.instagram.com", "/", &["u"]),
    ("shareasale.com", "/", &["urllink"]),
    ("tkqlhce.com", "/", &["url"]),
];

/// Most middlemen behind one another.
const MAX_HOPS: usize = 4;

/// The address a product is known by: tracking, affiliate and session parts removed,
/// known middlemen skipped, without user name, password and fragment. What may select
/// the product or its variant stays, and so does everything named in `keep`.
/// Idempotent.
#[must_use]
pub fn canonical(url: &Url, keep: &[&str]) -> Url {
    let mut out = url.clone();
    // Cleaning may bring another middleman to light.
    for _ in 0..2 * MAX_HOPS {
        let next = target(&out).unwrap_or_else(|| cleaned(&out, keep));
        if next == out {
            break;
        }
        out = next;
    }
    cleaned(&out, keep)
}

/// An address without the parts that are not the product's own.
fn cleaned(url: &Url, keep: &[&str]) -> Url {
    let mut out = url.clone();
    if !out.username().is_empty() || out.password().is_some() {
        // Fails only for addresses that cannot have them.
        let _ = out.set_username("");
        let _ = out.set_password(None);
    }
    if !is_route(&out) {
        out.set_fragment(None);
    }
    if out.path().contains("ref=") || out.path().contains(';') {
        let path = clean_path(out.path());
        out.set_path(&path);
    }
    if let Some(query) = out.query() {
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && purpose_of(pair, keep).is_none())
            .collect();
        let kept = kept.join("&");
        out.set_query((!kept.is_empty()).then_some(&kept));
    }
    out
}

/// What an address carries that does not belong to the product. Empty means it may be
/// shown and opened as it is.
#[must_use]
pub fn findings(url: &Url, keep: &[&str]) -> Vec<Finding> {
    let mut out = Vec::new();
    if target(url).is_some() {
        out.push(Finding {
            part: url.host_str().unwrap_or_default().to_owned(),
            purpose: Purpose::Redirect,
        });
    }
    if !url.username().is_empty() || url.password().is_some() {
        out.push(Finding {
            part: "user name or password".to_owned(),
            purpose: Purpose::Credentials,
        });
    }
    for segment in url.path().split('/') {
        if let Some(purpose) = segment_purpose(segment) {
            out.push(Finding {
                part: segment.to_owned(),
                purpose,
            });
        }
    }
    for pair in url.query().unwrap_or_default().split('&') {
        if let Some(purpose) = purpose_of(pair, keep) {
            out.push(Finding {
                part: name_of(pair).into_owned(),
                purpose,
            });
        }
    }
    out
}

/// The decoded name of `name=value`.
fn name_of(pair: &str) -> Cow<'_, str> {
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map_or(Cow::Borrowed(""), |(name, _)| name)
}

fn purpose_of(pair: &str, keep: &[&str]) -> Option<Purpose> {
    let (name, value) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
    if keep.iter().any(|k| *k == name) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let named = NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(&name));
    let begins = || PREFIXES.iter().find(|(p, _)| name.starts_with(p));
    if let Some((_, purpose)) = named.or_else(begins) {
        return Some(*purpose);
    }
    // `tag` is a filter in many shops; a partner's tag ends in a hyphen and two digits.
    let is_partner_tag = name == "tag"
        && matches!(value.rsplit_once('-'), Some((who, n)) if !who.is_empty() && n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit()));
    if is_partner_tag {
        return Some(Purpose::Affiliate);
    }
    let is_session = matches!(name.as_str(), "sid" | "session")
        && value.len() >= 16
        && value.bytes().all(|b| b.is_ascii_alphanumeric());
    is_session.then_some(Purpose::Session)
}

/// Path segments such as `ref=sr_1_3` and `;jsessionid=…`.
fn segment_purpose(segment: &str) -> Option<Purpose> {
    if segment.starts_with("ref=") {
        return Some(Purpose::Tracking);
    }
    let (_, parameters) = segment.split_once(';')?;
    parameters
        .to_ascii_lowercase()
        .starts_with("jsessionid=")
        .then_some(Purpose::Session)
}

fn clean_path(path: &str) -> String {
    let kept: Vec<&str> = path
        .split('/')
        .filter(|s| !s.starts_with("ref="))
        .map(|s| match segment_purpose(s) {
            Some(_) => s.split(';').next().unwrap_or(s),
            None => s,
        })
        .collect();
    kept.join("/")
}

/// Whether the fragment is the page itself, as in shops that are one script.
fn is_route(url: &Url) -> bool {
    url.fragment()
        .is_some_and(|f| f.starts_with('/') || f.starts_with('!'))
}

/// Where a known middleman passes the visit on to.
fn target(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    let (_, _, names) = REDIRECTS.iter().find(|(domain, path, _)| {
        let is_host = host == *domain
            || host
                .strip_suffix(domain)
                .is_some_and(|below| below.ends_with('.'));
        is_host && url.path().starts_with(path)
    })?;
    let (_, value) = url.query_pairs().find(|(k, _)| names.contains(&&**k))?;
    let target = Url::parse(&value).ok()?;
    (matches!(target.scheme(), "http" | "https") && target.has_host()).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clean(text: &str) -> String {
        canonical(&Url::parse(text).expect("test url"), &[]).into()
    }

    #[test]
    fn tracking_goes_and_the_product_stays() {
        for (from, to) in [
            (
                "https://shop.example/p/1?utm_source=a&variant=42&gclid=x&fbclid=y",
                "https://shop.example/p/1?variant=42",
            ),
            (
                "https://shop.example/p?id=7&UTM_Campaign=a",
                "https://shop.example/p?id=7",
            ),
            (
                "https://shop.example/p?awc=1_2&tag=someone-21",
                "https://shop.example/p",
            ),
            (
                "https://shop.example/l?tag=red",
                "https://shop.example/l?tag=red",
            ),
            (
                "https://shop.example/l?tag=50-inch",
                "https://shop.example/l?tag=50-inch",
            ),
            (
                "https://shop.example/dp/B1/ref=sr_1_3?th=1",
                "https://shop.example/dp/B1?th=1",
            ),
            (
                "https://shop.example/p;jsessionid=AB12?c=red",
                "https://shop.example/p?c=red",
            ),
            (
                "https://shop.example/p?q=a%20b&q=a+b#reviews",
                "https://shop.example/p?q=a%20b&q=a+b",
            ),
            ("https://shop.example/#/p/1", "https://shop.example/#/p/1"),
            ("https://me:secret@shop.example/p", "https://shop.example/p"),
            (
                "https://shop.example/p?%75tm_source=a",
                "https://shop.example/p",
            ),
            (
                "https://www.awin1.com/cread.php?awinmid=1&ued=https%3A%2F%2Fshop.example%2Fp%3Futm_source%3Daw",
                "https://shop.example/p",
            ),
            (
                "https://notawin1.com/?ued=https://a.example/",
                "https://notawin1.com/?ued=https://a.example/",
            ),
            (
                "https://google.com/ref=a/url?url=https%3A%2F%2Fa.example%2Fp",
                "https://a.example/p",
            ),
        ] {
            assert_eq!(clean(from), to);
        }
    }

    #[test]
    fn an_adapter_may_keep_a_parameter() {
        let url = Url::parse("https://shop.example/p?spm=1&utm_id=2").expect("url");
        assert_eq!(
            canonical(&url, &["spm"]).as_str(),
            "https://shop.example/p?spm=1"
        );
    }

    #[test]
    fn names_are_unique() {
        for list in [NAMES, PREFIXES] {
            let mut names: Vec<String> = list.iter().map(|(n, _)| n.to_ascii_lowercase()).collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all);
        }
    }

    proptest! {
        #[test]
        fn canonical_is_idempotent_and_clean(
            host in "(shop\\.example|www\\.awin1\\.com|google\\.com)",
            path in "(/[a-z;=]{0,8}|/ref=[a-z]{1,4}|/url|/p;jsessionid=1){0,3}",
            query in "((utm_source|gclid|id|variant|tag|sid|url|ued|q|%75tm_x|ref)=(a|b-21|https%3A%2F%2Fgoogle.com%2Furl%3Fq%3Dhttps%253A%252F%252Fa.example|[a-f0-9]{16}|%26)?&?){0,5}",
            fragment in "(#[a-z/!]{0,5})?",
        ) {
            let text = format!("https://{host}{path}?{query}{fragment}");
            if let Ok(url) = Url::parse(&text) {
                let once = canonical(&url, &[]);
                prop_assert_eq!(&canonical(&once, &[]), &once);
                prop_assert_eq!(findings(&once, &[]), vec![]);
            }
        }

        #[test]
        fn what_is_not_in_the_table_survives(pairs in prop::collection::vec(("(id|variant|color|size|sku|p|ref)", "[a-zA-Z0-9._-]{1,8}"), 1..5)) {
            let query: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let text = format!("https://shop.example/p?{}", query.join("&"));
            prop_assert_eq!(clean(&text), text);
        }
    }
}
