//! What the parts of a page are for, from element names, classes and ids.

use crate::engine::html::{Document, NodeId, Tag};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A set of purposes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(pub(super) u32);

impl Zone {
    /// Not shown.
    pub const HIDDEN: Self = Self(1);
    /// Crossed out: an old or recommended price.
    pub const OLD: Self = Self(1 << 1);
    /// Navigation, header, footer, banner.
    pub const CHROME: Self = Self(1 << 2);
    /// Other products.
    pub const RELATED: Self = Self(1 << 3);
    /// The basket so far.
    pub const CART: Self = Self(1 << 4);
    /// Delivery.
    pub const SHIPPING: Self = Self(1 << 5);
    /// Payment in parts.
    pub const FINANCE: Self = Self(1 << 6);
    /// Price for a kilogram or litre.
    pub const UNIT: Self = Self(1 << 7);
    /// Opinions.
    pub const REVIEW: Self = Self(1 << 8);
    /// Facets and filters.
    pub const FILTER: Self = Self(1 << 9);
    /// Savings and vouchers.
    pub const DISCOUNT: Self = Self(1 << 10);
    /// A price.
    pub const PRICE: Self = Self(1 << 11);
    /// The price to pay, as opposed to others.
    pub const CURRENT: Self = Self(1 << 12);
    /// The product of the page.
    pub const MAIN: Self = Self(1 << 13);
    /// Availability.
    pub const STOCK: Self = Self(1 << 14);
    /// A button that buys.
    pub const BUY: Self = Self(1 << 15);
    /// Cents of a price.
    pub const CENTS: Self = Self(1 << 16);
    /// Named a regular price: the one to pay, unless a lower one stands beside it.
    pub const REGULAR: Self = Self(1 << 18);
    /// Without tax.
    pub const NET: Self = Self(1 << 19);
    /// Stock of a branch, not of the web shop.
    pub const STORE: Self = Self(1 << 20);
    /// Products in rows.
    pub const GRID: Self = Self(1 << 17);

    /// Purposes that hold for everything inside.
    const INHERITED: Self = Self(
        Self::HIDDEN.0
            | Self::OLD.0
            | Self::CHROME.0
            | Self::RELATED.0
            | Self::CART.0
            | Self::SHIPPING.0
            | Self::FINANCE.0
            | Self::UNIT.0
            | Self::REVIEW.0
            | Self::FILTER.0
            | Self::DISCOUNT.0
            | Self::MAIN.0
            | Self::REGULAR.0
            | Self::NET.0
            | Self::STORE.0
            | Self::GRID.0,
    );

    /// Whether the two sets share a purpose.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Names met so far: a page repeats them a hundred times.
type Names<'a> = HashMap<&'a str, Zone>;

/// The purposes of every node, by index.
#[must_use]
pub fn zones(doc: &Document) -> Vec<Zone> {
    let mut out: Vec<Zone> = Vec::with_capacity(doc.len());
    let mut names = HashMap::new();
    for id in doc.ids() {
        let inherited = doc.parent(id).map_or(Zone::default(), |p| {
            Zone(out[p.index()].0 & Zone::INHERITED.0)
        });
        out.push(match doc.tag(id) {
            Some(tag) => own(doc, id, tag, inherited, &mut names),
            None => inherited,
        });
    }
    out
}

fn own<'a>(
    doc: &'a Document,
    id: NodeId,
    tag: Tag,
    inherited: Zone,
    names: &mut Names<'a>,
) -> Zone {
    let mut zone = inherited;
    zone = zone.with(match tag {
        Tag::Script | Tag::Style | Tag::Template | Tag::Head | Tag::Noscript => Zone::HIDDEN,
        Tag::Del | Tag::S | Tag::Strike => Zone::OLD,
        Tag::Nav | Tag::Footer => Zone::CHROME,
        Tag::Aside => Zone::RELATED,
        _ => Zone::default(),
    });
    // The page itself is often classed by its template or by what it features.
    let is_frame = matches!(tag, Tag::Html | Tag::Body | Tag::Main);
    for (name, value) in doc.attrs(id) {
        match name {
            "class" | "id" | "itemprop" if !is_frame => zone = zone.with(of_words(value, names)),
            _ if !is_frame && names_part(name) => zone = zone.with(of_words(value, names)),
            "hidden" => zone = zone.with(Zone::HIDDEN),
            "style" => zone = zone.with(of_style(value)),
            "aria-label" if value.len() < 60 && value.to_lowercase().contains("breadcrumb") => {
                zone = zone.with(Zone::CHROME);
            }
            _ => {}
        }
    }
    zone
}

/// Whether an attribute names the part for tests, scripts or statistics: `data-testid`,
/// `data-qa`, `data-automation-id`.
fn names_part(attribute: &str) -> bool {
    attribute.strip_prefix("data-").is_some_and(|name| {
        matches!(
            name.rsplit('-').next().unwrap_or(name),
            "id" | "testid"
                | "test"
                | "qa"
                | "cy"
                | "component"
                | "selenium"
                | "role"
                | "hook"
                | "auto"
                | "automation"
                | "at"
                | "element"
                | "e2e"
                | "locator"
        )
    })
}

fn of_style(style: &str) -> Zone {
    let mut zone = Zone::default();
    let compact: String = style
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    if compact.contains("display:none") || compact.contains("visibility:hidden") {
        zone = zone.with(Zone::HIDDEN);
    }
    if compact.contains("line-through") {
        zone = zone.with(Zone::OLD);
    }
    zone
}

/// The purposes that a class list or id names.
fn of_words<'a>(value: &'a str, names: &mut Names<'a>) -> Zone {
    let mut zone = Zone::default();
    for name in value.split_ascii_whitespace().take(24) {
        if name.len() > 80 {
            continue;
        }
        zone = zone.with(*names.entry(name).or_insert_with(|| of_name(name)));
    }
    zone
}

fn of_name(name: &str) -> Zone {
    let mut zone = Zone::default();
    let mut word = String::with_capacity(16);
    let mut compact = String::with_capacity(name.len());
    let mut previous_lower = false;
    for c in name.chars() {
        let is_hump = c.is_uppercase() && previous_lower;
        if !c.is_alphanumeric() || is_hump {
            zone = zone.with(of_word(&word));
            word.clear();
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
            compact.extend(c.to_lowercase());
        }
        previous_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    zone = zone.with(of_word(&word));
    zone.with(of_compact(&compact))
}

/// Single words of names, in the languages shops write their templates in.
#[rustfmt::skip]
fn of_word(word: &str) -> Zone {
    match word {
        "price" | "prices" | "pricing" | "preis" | "preise" | "prix" | "precio" | "precios" | "preco" | "prezzo" | "cena" | "ceny" | "cijena" | "cene"
        | "prijs" | "pris" | "hinta" | "ar" | "fiyat" | "pret" | "kaina" | "tsena" | "stoimost" | "harga" | "gia" | "amount" | "money" | "koszt" => Zone::PRICE,
        "current" | "final" | "sale" | "special" | "now" | "our" | "actual" | "sell" | "selling" | "offer" | "discounted" | "reduced" | "promo" | "new"
        | "today" | "aktuell" | "action" | "pay" | "akcni" | "deal" | "ourprice" | "dealprice" | "saleprice" | "reducedprice" | "promotional" => Zone::CURRENT,
        "old" | "was" | "before" | "rrp" | "msrp" | "uvp" | "strike" | "striked" | "strikethrough" | "crossed" | "compare" | "original" | "previous" | "regular"
        | "list" | "stroke" | "through" | "pvp" | "retail" | "alt" | "alter" | "statt" | "streichpreis" | "ancien" | "barre" | "anterior" | "vecchio" | "stara" | "puvodni"
        | "bezna" | "normal" | "undiscounted" | "std" | "ordinary" | "antes" | "eski" | "tachado" | "oldprice" | "wasprice" | "listprice" | "regularprice" | "compareat" | "rrpprice" | "base" | "instead" | "past" => match word {
            // These mean an old price only beside one; see `of_compact`.
            "list" | "regular" | "base" | "normal" | "alt" | "before" | "retail" | "compare" | "through" | "past" => Zone::default(),
            _ => Zone::OLD,
        },
        "hidden" | "hide" | "invisible" | "dnone" => Zone::HIDDEN,
        "nav" | "navigation" | "navbar" | "menu" | "footer" | "topbar" | "breadcrumb" | "breadcrumbs" | "cookie" | "cookies" | "newsletter" | "megamenu" | "header" | "banner" | "offcanvas" => match word {
            // Product blocks have headers too.
            "header" | "menu" | "banner" => Zone::default(),
            _ => Zone::CHROME,
        },
        "related" | "recommended" | "recommendation" | "recommendations" | "recommender" | "recs" | "similar" | "upsell" | "upsells" | "crosssell" | "crossselling" | "carousel"
        | "alsobought" | "viewed" | "recently" | "accessories" | "accessory" | "zubehoer" | "suggestions" | "suggested" | "alternatives" | "sponsored" | "bundle" | "bundles"
        | "complementary" | "ymal" | "similares" | "relacionados" | "podobne" | "podobné" | "souvisejici" | "recommand" | "crosssells" | "bestseller" | "bestsellers" | "trending" | "also" | "cross" | "together" | "sims" | "rhf" | "addon" | "addons" | "warranty" | "warranties" | "protection" | "trade" => Zone::RELATED,
        "minicart" | "cart" | "basket" | "warenkorb" | "checkout" | "panier" | "carrito" | "kosik" | "koszyk" => Zone::default(),
        "shipping" | "delivery" | "versand" | "versandkosten" | "lieferung" | "livraison" | "envio" | "frete" | "spedizione" | "dostawa" | "doprava" | "postage" | "fulfilment" | "fulfillment" | "deposit" | "pfand" => Zone::SHIPPING,
        "instalment" | "instalments" | "installment" | "installments" | "finance" | "financing" | "finanzierung" | "klarna" | "afterpay" | "clearpay" | "affirm" | "monthly" | "credit" | "leasing"
        | "raty" | "rata" | "splatky" | "cuotas" | "parcelas" | "parcela" | "parcelamento" | "mensualite" | "delbetalning" | "oney" | "zip" | "sezzle" | "laybuy" | "paylater" | "lizing" | "kuumakse" | "jaremaks" | "nomaksa" => Zone::FINANCE,
        "notax" | "netto" | "excl" | "novat" | "exvat" | "extax" | "bezdph" => Zone::NET,
        "unitprice" | "grundpreis" | "perunit" | "baseprice" | "priceperunit" | "ppu" => Zone::UNIT,
        "review" | "reviews" | "rating" | "ratings" | "bewertung" | "avis" | "testimonial" | "comments" | "question" | "questions" | "qa" | "faq" => Zone::REVIEW,
        "filter" | "filters" | "facet" | "facets" | "refine" | "sortby" | "slider" => match word {
            "slider" => Zone::default(),
            _ => Zone::FILTER,
        },
        "save" | "saving" | "savings" | "discount" | "coupon" | "voucher" | "rabatt" | "rabat" | "sleva" | "ersparnis" | "badge" | "reward" | "rewards" | "points" | "bonus" | "cashback" | "loyalty" | "gift" => Zone::DISCOUNT,
        "product" | "pdp" | "produkt" | "produit" | "producto" | "prodotto" | "buybox" | "productinfo" | "productdetail" | "productdetails" | "purchase" | "ppd" => Zone::default(),
        "availability" | "stock" | "inventory" | "verfuegbarkeit" | "lieferzeit" | "disponibilite" | "disponibilidad" | "disponibilita" | "dostupnost" | "skladem" | "sklad" | "lager" | "lagerstatus" | "dostepnosc" | "voorraad" | "levertijd" | "nalichie" | "instock" | "outofstock" | "saatavuus" | "laoseis" | "raktar" | "stoc" | "soldout" => Zone::STOCK,
        "pickup" | "store" | "stores" | "collect" | "collection" | "filiale" | "filialen" | "branch" | "branches" | "instore" | "nearby" | "predajne" | "prodejny" | "magasin" | "tienda" | "tiendas" | "winkel" | "butik" | "sklepy" => Zone::STORE,
        "cents" | "cent" | "fraction" | "decimal" | "decimals" | "kop" | "centimes" | "centavos" | "penny" | "pence" | "minor" | "groszy" | "superscript" | "fractional" => Zone::CENTS,
        _ => Zone::default(),
    }
}

/// Parts of names that mean something wherever they stand, separators left out.
#[rustfmt::skip]
const PARTS: &[(Zone, &[&str])] = &[
    // Template builders write `productPrice--final` in one way and `pricefinal` in another.
    (Zone::PRICE, &["pric", "preis"]),
    (Zone::OLD, &["linethrough", "strikethrough"]),
    (Zone::BUY, &["addtocart", "addtobag", "addtobasket", "buynow", "buybutton", "buybtn", "btnbuy", "btncart", "inwarenkorb", "addcart", "ajoutpanier", "addtotrolley", "productformsubmit", "singleaddtocart", "kaufen", "dokosika", "dokoszyka"]),
    (Zone::CART, &["minicart", "cartdrawer", "cartsidebar", "minibasket", "headercart", "cartitem", "carttotal", "cartpopup", "sidecart", "shoppingcart", "cartpreview", "cartmodal"]),
    (Zone::RELATED, &["crosssell", "upsell", "recommend", "youmayalso", "alsolike", "alsobought", "alsoviewed", "similaritem", "similarproduct", "relatedproduct", "relateditem", "recentlyviewed", "frequentlybought", "moreproducts", "otherproducts", "moreitems", "morefrom", "boughttogether", "completethelook", "shopthelook", "productcarousel", "productslider", "productswiper", "lastseen", "othersellers"]),
    (Zone::GRID, &["productcard", "producttile", "productgrid", "productlist", "carditem", "tileproduct", "productitem", "productbox", "productteaser", "productminiature", "listproduct", "articlelist"]),
    (Zone::MAIN, &["producttitle", "productmain", "productpage", "productdetail", "productinfo", "productsummary", "productview", "pdp", "buybox", "productessential", "productsingle", "singleproduct", "productform", "entrysummary", "productpurchase", "maincontent", "productoverview", "productintro"]),
    (Zone::CHROME, &["footer", "sitenav", "mainnav", "navmenu", "breadcrumb", "cookieconsent", "newsletter", "topmenu", "siteheader", "pageheader", "mainheader"]),
    (Zone::STOCK, &["outofstock", "instock", "stockstatus", "availabil", "stocklevel", "verfuegbar", "lieferbar", "deliverytime", "stockinfo"]),
    (Zone::FINANCE, &["installment", "instalment", "financ", "klarna", "paypalmessage", "monthlypayment", "creditprice", "paymonthly"]),
    (Zone::SHIPPING, &["shippingcost", "shippingprice", "deliverycost", "deliveryprice", "shippinginfo", "freeshipping", "freedelivery"]),
    (Zone::FILTER, &["pricefilter", "pricerange", "filterprice", "priceslider"]),
    (Zone::DISCOUNT, &["yousave", "savingprice", "discountamount", "pricesaving", "saveprice", "savedprice", "discountpercent"]),
];

/// The same for names that speak of a price.
#[rustfmt::skip]
const PRICE_PARTS: &[(Zone, &[&str])] = &[
    (Zone::OLD, &["listpric", "oldpric", "waspric", "priceold", "pricewas", "pricestd", "beforepric", "pricebefore", "compareatpric", "comparepric", "rrp", "originalpric", "priceoriginal", "strike", "listenpreis", "altpreis", "pricealt", "fullpric", "pricefull", "crossedpric", "pricethrough", "previouspric", "undiscounted", "suggestedpric", "suggestedretail"]),
    (Zone::REGULAR, &["regularpric", "priceregular", "normalpric", "retailpric"]),
    (Zone::NET, &["pricenet", "netpric", "excltax", "exclvat", "extax", "exvat", "withouttax", "withoutvat", "pricewithoutdph", "netto"]),
    (Zone::UNIT, &["perunit", "unitpric", "priceunit", "priceper", "comparisonpric", "pricecomparison"]),
    (Zone::CURRENT, &["saleprice", "finalprice", "currentprice", "ourprice", "pricefinal", "pricesale", "pricecurrent", "specialprice", "pricenow", "nowprice", "sellprice", "sellingprice", "salesprice", "offerprice", "pricenew", "newprice", "pricetopay", "actualprice", "priceactual", "dealprice", "discountprice", "discountedprice", "pricediscount", "productprice", "priceproduct", "mainprice", "pricemain", "buyprice"]),
];

/// A part with its purpose, and whether it counts only in names of prices.
type Part = (&'static str, Zone, bool);

/// All parts by their first two letters.
static INDEX: LazyLock<Vec<Vec<Part>>> = LazyLock::new(|| {
    let mut index = vec![Vec::new(); LETTERS * LETTERS];
    for (table, of_price) in [(PARTS, false), (PRICE_PARTS, true)] {
        for (zone, parts) in table {
            for part in *parts {
                if let Some(place) = place(part.as_bytes()) {
                    index[place].push((*part, *zone, of_price));
                }
            }
        }
    }
    index
});

const LETTERS: usize = 26;

/// The place in [`INDEX`] of a text that begins with two small letters.
fn place(text: &[u8]) -> Option<usize> {
    let letter = |b: u8| b.is_ascii_lowercase().then(|| usize::from(b - b'a'));
    let [first, second, ..] = text else {
        return None;
    };
    Some(letter(*first)? * LETTERS + letter(*second)?)
}

fn of_compact(name: &str) -> Zone {
    let index = &*INDEX;
    let mut zone = Zone::default();
    let mut of_prices = Zone::default();
    for at in 0..name.len() {
        let rest = &name.as_bytes()[at..];
        for (part, purpose, of_price) in place(rest).map_or(&[][..], |p| &index[p]) {
            if rest.starts_with(part.as_bytes()) {
                let known = if *of_price { &mut of_prices } else { &mut zone };
                *known = known.with(*purpose);
            }
        }
    }
    if zone.has(Zone::PRICE) {
        zone = zone.with(of_prices);
    }
    zone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::html;

    #[test]
    fn names_in_many_styles() {
        assert!(of_name("productPrice--old").has(Zone::OLD));
        assert!(of_name("price-item--regular").has(Zone::PRICE));
        assert!(of_name("product__price_current").has(Zone::CURRENT));
        assert!(of_name("relatedProducts").has(Zone::RELATED));
        assert!(of_name("btn-add-to-cart").has(Zone::BUY));
        assert!(!of_name("golden-holder").has(Zone::OLD));
        assert!(!of_name("list").has(Zone::OLD));
    }

    #[test]
    fn purposes_are_inherited() {
        let doc = html::parse(
            b"<div class=related><p>x</p></div><del><b>9</b></del>",
            None,
        );
        let zones = zones(&doc);
        let at = |tag| zones[doc.first(tag).expect("element").index()];
        assert!(at(Tag::P).has(Zone::RELATED));
        assert!(at(Tag::B).has(Zone::OLD) && !at(Tag::B).has(Zone::RELATED));
    }
}
