//! Popups over a real D-Bus: what is shown, and what its buttons do.

use crate::support::{Home, PASSPHRASE, Page, Shops, product, require, runtime, wait};
use serde_json::json;
use std::collections::HashMap;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use zbus::OwnedVariant;

/// What a popup showed.
#[derive(Clone, Debug)]
struct Popup {
    id: u32,
    app: String,
    title: String,
    body: String,
    actions: Vec<String>,
}

/// The desktop's notification service (Desktop Notifications Specification 1.2).
#[derive(Default)]
struct Service {
    shown: Arc<Mutex<Vec<Popup>>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        app_name: String,
        _replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut shown = self.shown.lock().expect("lock");
        let id = u32::try_from(shown.len()).expect("few") + 1;
        shown.push(Popup {
            id,
            app: app_name,
            title: summary,
            body,
            actions,
        });
        id
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".into(), "body".into(), "body-markup".into()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        (
            "Test desktop".into(),
            "tests".into(),
            "7".into(),
            "1.2".into(),
        )
    }

    fn close_notification(&self, _id: u32) {}
}

/// A session bus of its own with the service on it.
struct Desktop {
    bus: Child,
    address: String,
    connection: zbus::Connection,
    shown: Arc<Mutex<Vec<Popup>>>,
    _dir: tempfile::TempDir,
}

impl Desktop {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = dir.path().join("bus.conf");
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\
             <busconfig><type>session</type><listen>unix:path={}/bus</listen>\
             <auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            dir.path().display()
        );
        std::fs::write(&config, text).expect("written");
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--print-address", "--nofork"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon");
        let mut address = String::new();
        let mut out = BufReader::new(bus.stdout.take().expect("piped"));
        out.read_line(&mut address).expect("an address");
        let address = address.trim().to_owned();
        let shown: Arc<Mutex<Vec<Popup>>> = Arc::default();
        let service = Service {
            shown: Arc::clone(&shown),
        };
        let connection = runtime().block_on(async {
            zbus::connection::Builder::address(address.as_str())
                .name("org.freedesktop.Notifications")
                .serve_at("/org/freedesktop/Notifications", service)
                .build()
                .await
                .expect("on the bus")
        });
        Self {
            bus,
            address,
            connection,
            shown,
            _dir: dir,
        }
    }

    fn shown(&self) -> Vec<Popup> {
        self.shown.lock().expect("lock").clone()
    }

    /// Presses a button.
    fn press(&self, popup: u32, action: &str) {
        let sent = runtime().block_on(self.connection.emit_signal(
            None::<&str>,
            "/org/freedesktop/Notifications",
            "org.freedesktop.Notifications",
            "ActionInvoked",
            &(popup, action),
        ));
        sent.expect("emitted");
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

fn kettle(name: &str) -> Page {
    product(name, "39.00", "EUR", "InStock")
}

/// A home whose daemon is on the desktop's bus.
fn home(shops: &Shops, desktop: &Desktop) -> Home {
    let mut home = Home::locked(&shops.settings());
    home.set_env("DBUS_SESSION_BUS_ADDRESS", &desktop.address);
    home.unlock();
    home
}

fn add(home: &Home, shops: &Shops) {
    home.run(&["add", &shops.url("alpha", "/p"), "--max", "50 EUR"])
        .ok();
}

#[test]
fn a_popup_says_what_and_why_and_its_button_snoozes() {
    if !require("dbus-daemon") {
        return;
    }
    let desktop = Desktop::start();
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("Kettle <b>1.7 l</b>"));
    let home = home(&shops, &desktop);
    add(&home, &shops);
    wait("a popup", || !desktop.shown().is_empty());
    let popup = desktop.shown().remove(0);
    assert_eq!(popup.app, "emptor");
    assert!(
        popup.title.contains("€43.92") && popup.title.contains("alpha.localhost"),
        "{popup:?}"
    );
    assert!(popup.body.contains("at or under €50.00"), "{popup:?}");
    assert!(
        !popup.body.contains("<b>"),
        "mark-up of a shop is not the desktop's"
    );
    let keys: Vec<_> = popup
        .actions
        .iter()
        .step_by(2)
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["open", "snooze", "not-this"]);
    wait("the note of it", || {
        home.json(&["alerts"])["alerts"][0]["delivered"].is_string()
    });
    assert!(
        !home.log().contains("Kettle"),
        "what was shown is not in the log, too"
    );

    desktop.press(popup.id, "snooze");
    let status = || home.json(&["wish", "show", "kettle"])["status"].clone();
    wait("the want to be snoozed", || status() == "snoozed");
    assert_eq!(home.json(&["wish", "list"]), json!([]));
    let until = home.json(&["wish", "show", "kettle"])["snoozed_until"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        until.parse::<emptor::model::time::Timestamp>().unwrap()
            > emptor::model::time::Timestamp::now()
    );
    // Nothing is read for it while it sleeps.
    let before = shops.all().len();
    home.crawl();
    assert_eq!(shops.all().len(), before);
    assert_eq!(desktop.shown().len(), 1);
}

#[test]
fn not_this_takes_the_offer_off_the_want() {
    if !require("dbus-daemon") {
        return;
    }
    let desktop = Desktop::start();
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("Kettle 1.7 l"));
    let home = home(&shops, &desktop);
    add(&home, &shops);
    wait("a popup", || !desktop.shown().is_empty());
    let ranked = || {
        home.json(&["offers", "kettle"])["ranked"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(ranked(), Some(1));
    desktop.press(desktop.shown()[0].id, "not-this");
    wait("the offer to go", || ranked() == Some(0));
    // It stays away when the page is read again.
    home.crawl();
    assert_eq!(ranked(), Some(0));
    assert_eq!(home.json(&["offers", "kettle"])["maybe"], json!([]));
}

#[test]
fn a_popup_about_a_list_shows_its_basket_and_snoozes_the_list() {
    if !require("dbus-daemon") {
        return;
    }
    let desktop = Desktop::start();
    let shops = Shops::open(&["alpha"]);
    let offer = |name: &str, price: &str| {
        let page = product(name, price, "EUR", "InStock");
        shops.put("alpha", &format!("/{name}"), page);
    };
    offer("milk", "10.00");
    offer("bread", "20.00");
    let mut home = Home::locked(&shops.settings());
    home.set_env("DBUS_SESSION_BUS_ADDRESS", &desktop.address);
    let opened = fake_browser(&mut home);
    home.unlock();
    for name in ["milk", "bread"] {
        let url = shops.url("alpha", &format!("/{name}"));
        home.run(&[
            "list",
            "add",
            &url,
            "--name",
            name,
            "--list",
            "food & drink",
        ])
        .ok();
    }
    let last_look = || {
        let why = home.json(&["alerts", "why", "milk"]);
        why[0]["reason"].as_str().unwrap_or_default().to_owned()
    };
    wait("the first sum", || last_look().contains("is noted"));
    let delivered = || {
        let alerts = home.json(&["alerts"])["alerts"].clone();
        let all = alerts.as_array().unwrap().iter();
        all.filter(|a| a["delivered"].is_string()).count()
    };
    let popup = |number: usize, milk: &str| {
        home.age_list("food & drink");
        offer("milk", milk);
        home.crawl();
        wait("the popup", || delivered() == number);
        desktop.shown()[number - 1].clone()
    };
    let first = popup(1, "5.00");
    let title = "food & drink: the whole list now costs";
    assert!(first.title.starts_with(title), "{first:?}");
    let keys = first.actions.iter().step_by(2);
    let keys: Vec<_> = keys.map(String::as_str).collect();
    let why = "no single offer could be the wrong one";
    assert_eq!(keys, ["open", "snooze"], "{why}");
    desktop.press(first.id, "open");
    let url = || std::fs::read_to_string(&opened).unwrap_or_default();
    wait("the browser", || url().ends_with("&list=food+%26+drink\n"));

    desktop.press(popup(2, "2.00").id, "snooze");
    let watched = || home.json(&["alerts"])["lists"][0].clone();
    wait("the list to be snoozed", || {
        watched()["snoozed_until"].is_string()
    });
    offer("bread", "15.00");
    home.crawl();
    let silence = "but you snoozed the list until";
    wait("silence", || last_look().contains(silence));
    let text = home.run(&["alerts"]).ok().out;
    assert!(
        text.contains("Whole lists\n  food & drink\n    silent: "),
        "{text}"
    );
    assert!(text.contains("    snoozed until "), "{text}");
    assert_eq!(
        home.json(&["list", "list"]).as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(desktop.shown().len(), 2);
}

/// A program in the place of the desktop's opener; returns the file with what it was given.
fn fake_browser(home: &mut Home) -> PathBuf {
    let (dir, opened) = (home.path("bin"), home.path("opened"));
    std::fs::create_dir(&dir).expect("made");
    let script = format!("#!/bin/sh\necho \"$1\" > '{}'\n", opened.display());
    let program = dir.join("xdg-open");
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("set");
    let path = std::env::var("PATH").unwrap_or_default();
    home.set_env("PATH", &format!("{}:{path}", dir.display()));
    opened
}

#[test]
fn a_test_message_goes_to_the_desktop() {
    if !require("dbus-daemon") {
        return;
    }
    let desktop = Desktop::start();
    let shops = Shops::open(&["alpha"]);
    let home = home(&shops, &desktop);
    assert_eq!(home.json(&["notify", "test"])["delivered"], "desktop");
    let popup = desktop.shown().remove(0);
    assert_eq!(popup.title, "emptor");
    assert_eq!(popup.actions, [""; 0]);
    let report = home.run(&["doctor", "--json"]).json();
    let popups = crate::support::find(report.as_array().unwrap(), "what", "popups").clone();
    assert_eq!(popups["detail"], "Test desktop 7");
    // Switched off, it goes to the log even where there is a desktop.
    home.settings(&shops.settings_with("gap_seconds = 0", "[notify]\ndesktop = false"));
    home.stop();
    home.unlock();
    assert_eq!(home.json(&["notify", "test"])["delivered"], "log");
    assert_eq!(desktop.shown().len(), 1);
}

#[test]
fn without_a_desktop_the_log_has_it() {
    let shops = Shops::open(&["alpha"]);
    shops.put("alpha", "/p", kettle("Kettle 1.7 l"));
    let home = Home::new(&shops);
    assert_eq!(home.json(&["notify", "test"])["delivered"], "log");
    let said = home.run(&["notify", "test"]).ok().out;
    assert!(said.contains(&home.arg("state/emptor.log")), "{said}");
    add(&home, &shops);
    wait("the alert in the log", || {
        home.log().contains("Kettle 1.7 l: €43.92")
    });
    wait("the note of it", || {
        home.json(&["alerts"])["alerts"][0]["delivered"].is_string()
    });
    assert!(!home.log().contains(PASSPHRASE));
}
