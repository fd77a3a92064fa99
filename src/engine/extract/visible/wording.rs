//! What words beside an amount and on buttons mean.

pub(super) enum Label {
    /// "Price", "now only", "incl. VAT".
    Price,
    /// For members, subscribers, holders of a card.
    Conditional,
    /// "From 10": a price for larger orders.
    Quantity,
    Other,
}

/// What the words beside an amount promise, in lower case.
pub(super) fn label(before: &str, after: &str) -> Label {
    fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
    }
    if words(before)
        .chain(words(after))
        .any(|w| CONDITIONS.contains(&w))
    {
        return Label::Conditional;
    }
    let counts = before.len() <= 16 && !before.contains('%');
    if counts && words(before).any(|w| w.bytes().all(|b| b.is_ascii_digit())) {
        return Label::Quantity;
    }
    let bare = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    let named = words(before)
        .next_back()
        .is_some_and(|w| PRICE_WORDS.contains(&w))
        || PRICE_WORDS
            .iter()
            .any(|p| !p.is_ascii() && bare.ends_with(p));
    if named || GROSS.iter().any(|g| after.contains(g)) {
        Label::Price
    } else {
        Label::Other
    }
}

/// With tax: what a private buyer pays.
#[rustfmt::skip]
const GROSS: &[&str] = &[
    "inkl", "incl", "inc vat", "inc. vat", "inc gst", "inc. gst", "ttc", "iva inc", "con iva", "s dph", "vč. dph", "vč dph", "brutto", "z vat", "moms inkl", "med moms", "sis. alv", "áfával", "s pdv", "cu tva", "kdv dahil", "με φπα", "с ндс", "税込", "含税",
];

/// Words right before the price to pay.
#[rustfmt::skip]
const PRICE_WORDS: &[&str] = &[
    "price", "now", "today", "only", "total", "preis", "jetzt", "nur", "prix", "maintenant", "precio", "ahora", "oferta", "preço", "preco", "agora", "por", "prezzo", "ora", "adesso", "prijs", "nu", "voor",
    "cena", "teraz", "nyní", "ár", "most", "preț", "pret", "acum", "pris", "hinta", "nyt", "hind", "kaina", "cijena", "цена", "сейчас", "ціна", "зараз", "цената", "τιμή", "τώρα", "fiyat", "fiyatı", "şimdi",
    "harga", "giá", "ราคา", "السعر", "سعر", "الآن", "מחיר", "عكس", "قیمت", "価格", "税込", "价格", "价", "售价", "現在", "特價", "售價", "가격", "판매가", "कीमत",
];

/// Words that make a price depend on who buys.
#[rustfmt::skip]
const CONDITIONS: &[&str] = &[
    "member", "members", "club", "clubcard", "card", "loyalty", "prime", "trade", "mitglied", "mitglieder", "karte", "kundenkarte", "carte", "fidélité", "membre", "socio", "socios", "tarjeta", "tessera", "lid", "leden",
    "subscribe", "subscription", "autoship", "abo", "sparabo", "abonnement", "abonnez", "suscríbete", "suscripción", "assinatura", "abbonamento", "prenumeration", "předplatné", "подписка", "подписке", "定期",
    "kartu", "kartou", "kartą", "klub", "klubu", "členové", "karta", "картой", "карте", "карты", "клуба", "клубная", "medlem", "medlemmer", "jäsen", "students", "student", "coupon", "voucher", "gutschein", "会员价", "会員価格", "会員",
];

/// Words on buttons that put the product into the basket.
#[rustfmt::skip]
const BUY_WORDS: &[&str] = &[
    "add to cart", "add to bag", "add to basket", "add to trolley", "buy now", "buy it now", "in den warenkorb", "warenkorb", "jetzt kaufen", "ajouter au panier", "acheter",
    "añadir al carrito", "agregar al carrito", "añadir a la cesta", "comprar", "adicionar ao carrinho", "aggiungi al carrello", "acquista", "in winkelwagen", "in winkelmandje", "bestellen",
    "do koszyka", "dodaj do koszyka", "kup teraz", "do košíku", "do košíka", "koupit", "kúpiť", "vložiť do košíka", "kosárba", "adaugă în coș", "adauga in cos", "lägg i varukorg", "köp", "legg i handlekurv", "kjøp",
    "læg i kurv", "køb", "lisää ostoskoriin", "lisa ostukorvi", "lisa korvi", "pirkt", "ielikt grozā", "į krepšelį", "в корзину", "купить", "купити", "в кошик", "добави в количката", "προσθήκη στο καλάθι", "στο καλάθι",
    "sepete ekle", "dodaj u košaricu", "u košaricu", "dodaj u korpu", "kupi", "v košarico", "カートに入れる", "购买", "加入购物车", "加入購物車", "立即購買", "장바구니", "구매", "thêm vào giỏ", "mua ngay", "beli", "أضف إلى السلة", "הוסף לסל", "หยิบใส่",
];

pub(super) fn is_buy_text(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || text.len() > 120 {
        return false;
    }
    let text = text.to_lowercase();
    BUY_WORDS.iter().any(|w| match text.len() {
        n if n < w.len() => false,
        n if n == w.len() => text == *w,
        n => {
            (w.len() > 6 && text.starts_with(w))
                || (w.len() > 8 && n <= w.len() + 12 && text.contains(w))
        }
    })
}
