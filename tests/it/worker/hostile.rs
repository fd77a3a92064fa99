//! Pages made to hurt a reader. Seeded: the same number gives the same page.

/// How many kinds there are.
pub const KINDS: u64 = 25;

/// A small generator of pseudo-random numbers (SplitMix64, Steele et al. 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// A size between a half and the whole of `most`.
    fn size(&mut self, most: usize) -> usize {
        let half = most / 2;
        half + usize::try_from(self.roll(half as u64 + 1)).unwrap_or(0)
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.roll(list.len() as u64)).unwrap_or(0)]
    }
}

fn json_ld(json: &str) -> Vec<u8> {
    format!("<html><script type=\"application/ld+json\">{json}</script><p>1,00 EUR").into_bytes()
}

/// Page number `seed`; its kind is `seed % KINDS`.
pub fn page(seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    let text = |s: String| s.into_bytes();
    match seed % KINDS {
        0 => text("<div>".repeat(dice.size(200_000))),
        1 => text("<ul><li>".repeat(dice.size(100_000))),
        2 => text("<table><tr><td>".repeat(dice.size(60_000))),
        3 => text("<b><i><a href=x><p>".repeat(dice.size(50_000))),
        4 => text(format!("<div {}>", "a=b ".repeat(dice.size(300_000)))),
        5 => text(format!(
            "<div {}>",
            (0..dice.size(60_000))
                .map(|i| format!("a{i}=1 "))
                .collect::<String>()
        )),
        6 => text(format!("<a title=\"{}", "x".repeat(dice.size(4 << 20)))),
        7 => text("<p>1.299,00 EUR</p>".repeat(dice.size(100_000))),
        8 => text("9".repeat(dice.size(2 << 20)) + " EUR"),
        9 => text("&amp;&#x41;&#65;&notanentity;".repeat(dice.size(100_000))),
        10 => text("<!--".repeat(dice.size(300_000))),
        11 => text("<script><!--<script>".repeat(dice.size(100_000))),
        12 => json_ld(&("[".repeat(dice.size(500_000)))),
        13 => json_ld(&("{\"@graph\":".repeat(dice.size(200_000)))),
        14 => {
            let offer = "{\"@type\":\"Offer\",\"price\":\"1.00\",\"priceCurrency\":\"EUR\"},";
            json_ld(&format!(
                "{{\"@type\":\"Product\",\"name\":\"x\",\"offers\":[{}{{}}]}}",
                offer.repeat(dice.size(40_000))
            ))
        }
        15 => json_ld(&format!(
            "{{\"@type\":\"Product\",\"name\":\"{}\",\"offers\":{{\"price\":\"{}\",\"priceCurrency\":\"EUR\"}}}}",
            "\\u001b[2J\\u202e\\u0000".repeat(dice.size(5_000)),
            dice.pick(&[
                "1e309",
                "-1",
                "0",
                "NaN",
                "99999999999999999999999999999999",
                "1e-400",
                "0x10",
                ""
            ]),
        )),
        16 => text("<div itemscope itemtype=https://schema.org/Product>".repeat(dice.size(60_000))),
        17 => text("<span itemprop=price content=1>".repeat(dice.size(60_000))),
        18 => (0..dice.size(1 << 20))
            .map(|_| u8::try_from(dice.roll(256)).unwrap_or(0))
            .collect(),
        19 => {
            let label = dice.pick(&[
                "utf-7",
                "utf-16",
                "iso-2022-jp",
                "gb18030",
                "replacement",
                "x-user-defined",
            ]);
            let mut page = text(format!("<meta charset={label}><title>"));
            page.extend((0..dice.size(200_000)).map(|_| u8::try_from(dice.roll(256)).unwrap_or(0)));
            page
        }
        20 => vec![0; dice.size(4 << 20)],
        21 => text(format!(
            "<title>{}</title><p>1 EUR",
            "\u{1b}]0;evil\u{7}\u{9b}31m\u{202e}\u{200b}e\u{301}".repeat(dice.size(20_000))
        )),
        22 => {
            text("<svg><math><mi><mglyph><style><!--</style><img src=x>".repeat(dice.size(30_000)))
        }
        23 => text("<select><option><template><frameset><plaintext>".repeat(dice.size(30_000))),
        _ => text(format!(
            "<base href=\"{}\">{}",
            "http://[".repeat(100),
            "<a href=\"//:0/%zz\" class=price>€ 1</a>".repeat(dice.size(40_000))
        )),
    }
}
