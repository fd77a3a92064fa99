//! Walls that stand where the page should be: captchas, refusals, log-ins.

use crate::engine::html::{Document, NodeId, Tag};

/// Longer pages are no walls.
const MAX_TEXT: usize = 6000;

/// Marks in scripts, frames and forms of the usual guards.
const GUARDS: &[&str] = &[
    "g-recaptcha",
    "h-captcha",
    "hcaptcha.com/",
    "cf-turnstile",
    "challenges.cloudflare.com",
    "cf-challenge",
    "cf_chl_",
    "/cdn-cgi/challenge-platform",
    "captcha-delivery.com",
    "datadome",
    "px-captcha",
    "perimeterx",
    "_incapsula_resource",
    "incapsula incident",
    "distil_r_captcha",
    "geo.captcha",
    "/errors/validatecaptcha",
    "opfcaptcha",
    "kasada",
    "awswafcaptcha",
    "aws-waf-token",
    "arkoselabs",
    "ak_bmsc",
    "smartcaptcha",
    "/showcaptcha",
];

/// What walls say, lower case.
#[rustfmt::skip]
const REFUSALS: &[&str] = &[
    "access denied", "access to this page has been denied", "you don't have permission to access", "403 forbidden", "forbidden", "request blocked", "you have been blocked", "sorry, you have been blocked",
    "are you a robot", "are you human", "i'm not a robot", "i am not a robot", "verify you are human", "verifying you are human", "checking your browser", "checking if the site connection is secure", "just a moment", "robot or human", "robot check", "human verification", "security check", "unusual traffic", "automated access", "bot detection", "pardon our interruption", "please enable js and disable any ad blocker", "enable javascript and cookies to continue", "enter the characters you see", "too many requests", "rate limit", "ddos protection", "attention required", "request unsuccessful",
    "zugriff verweigert", "kein roboter sind", "kein roboter bist", "dass sie ein mensch sind", "sind sie ein mensch", "bist du ein mensch", "ich bin kein roboter", "sicherheitsüberprüfung", "zu viele anfragen", "zugriff wurde blockiert",
    "accès refusé", "n'êtes pas un robot", "n’êtes pas un robot", "que vous êtes humain", "êtes-vous un robot", "je ne suis pas un robot", "vérification de sécurité", "accès interdit", "trop de requêtes",
    "acceso denegado", "no soy un robot", "no eres un robot", "no es un robot", "que eres humano", "não é um robô", "non sei un robot", "geen robot bent", "nie jesteś robotem", "nejste robot", "acceso restringido", "acesso negado", "não sou um robô", "accesso negato", "non sono un robot",
    "toegang geweigerd", "ik ben geen robot", "odmowa dostępu", "nie jestem robotem", "dostęp zabroniony", "přístup odepřen", "nejsem robot", "prístup zamietnutý", "nie som robot", "hozzáférés megtagadva", "nem vagyok robot", "acces interzis", "nu sunt robot",
    "åtkomst nekad", "ingen tilgang", "adgang nægtet", "pääsy estetty", "en ole robotti", "доступ запрещен", "доступ запрещён", "я не робот", "вы не робот", "подтвердите, что запросы отправляли вы", "доступ обмежено", "достъпът е отказан", "δεν έχετε πρόσβαση", "δεν είμαι ρομπότ", "erişim engellendi", "ben robot değilim",
    "アクセスが拒否", "ロボットではない", "ロボットではありません", "访问被拒绝", "请完成安全验证", "人机验证", "驗證您是人類", "접근이 거부", "로봇이 아닙니다", "تم رفض الوصول", "אני לא רובוט", "ไม่ใช่หุ่นยนต์",
];

#[rustfmt::skip]
const LOGINS: &[&str] = &[
    "log in", "login", "sign in", "anmelden", "einloggen", "se connecter", "connexion", "iniciar sesión", "entrar", "accedi", "inloggen", "zaloguj", "přihlásit", "prihlásiť", "bejelentkezés", "autentificare", "logga in", "logg inn", "log ind", "kirjaudu", "войти", "вход", "увійти", "σύνδεση", "giriş yap", "ログイン", "登录", "登入", "로그인", "đăng nhập", "تسجيل الدخول", "התחבר",
];

/// Why the page is a wall, or `None` if it is none. Asked only where no price was found.
#[must_use]
pub fn check(doc: &Document) -> Option<&'static str> {
    let title = doc
        .first(Tag::Title)
        .map(|t| doc.inner_text(t, 200).to_lowercase())
        .unwrap_or_default();
    let body = doc.first(Tag::Body).unwrap_or(NodeId::ROOT);
    let text = doc.inner_text(body, MAX_TEXT + 100).to_lowercase();
    let is_short = text.len() <= MAX_TEXT;
    let very_short = text.len() <= 1500;
    let refuses = |t: &str| REFUSALS.iter().any(|r| t.contains(r));
    if refuses(&title) && is_short {
        return Some("the site refuses automated visitors");
    }
    if very_short && refuses(&text) {
        return Some("the site refuses automated visitors");
    }
    let source = doc.source();
    let sample: String = source
        .chars()
        .take(60_000)
        .flat_map(char::to_lowercase)
        .collect();
    if very_short && GUARDS.iter().any(|g| sample.contains(g)) {
        return Some("a captcha stands before the page");
    }
    let passwords = doc
        .ids()
        .filter(|id| {
            doc.raw_attr(*id, "type")
                .is_some_and(|t| t.eq_ignore_ascii_case("password"))
        })
        .count();
    let asks_login = LOGINS.iter().any(|l| title.contains(l)) || very_short;
    (passwords > 0 && is_short && asks_login).then_some("the page asks for a log-in")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::html::parse;

    #[test]
    fn walls_in_many_languages() {
        for page in [
            "<title>Access Denied</title><p>Reference #18",
            "<title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/x'></script>",
            "<title>Shop</title><body>Подтвердите, что запросы отправляли вы, а не робот",
            "<title>shop.example</title><div class=g-recaptcha></div>",
            "<title>Anmelden</title><form><input type=password></form>",
            "<body><h1>Zugriff verweigert</h1>",
        ] {
            assert!(check(&parse(page.as_bytes(), None)).is_some(), "{page}");
        }
    }

    #[test]
    fn shops_that_load_a_captcha_are_none() {
        let page = format!(
            "<title>Shoes</title><script src=recaptcha></script>{}",
            "<p>A good shoe for long walks.</p>".repeat(300)
        );
        assert_eq!(check(&parse(page.as_bytes(), None)), None);
    }
}
