//! The guard: what must not be connected to, counted at the victim.

use super::*;

#[tokio::test]
async fn a_redirect_into_the_private_network_connects_to_nothing() {
    let victim = Server::start(|_: &Request| Script::Send(answer(200, &[], b"secret"))).await;
    let port = victim.address.port();
    let targets = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://user@127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("http://shop.example:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    let list = targets.clone();
    let shop = Server::start(move |r: &Request| {
        let i: usize = r.path[1..].parse().unwrap_or(0);
        page(r, 302, &[("location", &list[i])], b"")
    })
    .await;
    let fetcher = Fetcher::assemble(
        config(&[&shop]),
        Arc::new(SystemClock),
        Names::new(&[
            ("shop.example", &[&["127.0.0.1"]]),
            ("localhost", &[&["127.0.0.1"]]),
        ]),
    )
    .expect("fetcher");
    for (i, target) in targets.iter().enumerate() {
        let error = get(&fetcher, shop.url(&format!("/{i}")))
            .await
            .expect_err(target);
        assert_eq!(error.trouble(), Trouble::Refused, "{target}: {error}");
        // The same address asked for directly, and through the other doors.
        if let Ok(url) = Url::parse(target) {
            let direct = get(&fetcher, url.clone()).await.expect_err(target);
            assert_eq!(direct.trouble(), Trouble::Refused, "{target}");
            let api = fetcher
                .get_api(url.clone(), "*/*", &[])
                .await
                .expect_err(target);
            assert_eq!(api.trouble(), Trouble::Refused, "{target}");
            let post = fetcher
                .post_json(url, b"{}".to_vec(), "application/json", &[])
                .await;
            assert_eq!(
                post.expect_err(target).trouble(),
                Trouble::Refused,
                "{target}"
            );
        }
    }
    assert_eq!(victim.connections(), 0);
}

#[tokio::test]
async fn robots_txt_is_no_way_around_the_guard() {
    let victim = Server::start(|_: &Request| Script::Send(answer(200, &[], b""))).await;
    let target = victim.url("/").to_string();
    let shop =
        Server::start(move |_: &Request| Script::Send(answer(302, &[("location", &target)], b"")))
            .await;
    let error = get(&fetcher(&[&shop]), shop.url("/p"))
        .await
        .expect_err("refused");
    assert_eq!(error.trouble(), Trouble::Refused, "{error}");
    assert_eq!(shop.paths(), ["/robots.txt"]);
    assert_eq!(victim.connections(), 0);
}

/// A server on a web port, where the text of an address gives nothing away.
async fn victim_on_port_80(ip: &str) -> Option<Server> {
    let secret = |_: &Request| Script::Send(answer(200, &[], b"secret"));
    let victim = Server::start_at(&format!("{ip}:80"), secret).await;
    if let Err(e) = &victim {
        println!("connects not counted: {ip}:80: {e}");
    }
    victim.ok()
}

#[tokio::test]
async fn a_name_that_leads_home_is_not_followed() {
    let victims = [
        victim_on_port_80("127.0.0.66").await,
        victim_on_port_80("[::1]").await,
    ];
    let names = Names::new(&[
        ("plain.example", &[&["127.0.0.66"]]),
        ("six.example", &[&["::1"]]),
        ("mixed.example", &[&["93.184.216.34", "127.0.0.66"]]),
        (
            "mixed6.example",
            &[&["2606:4700:4700::1111", "::ffff:127.0.0.66"]],
        ),
        ("nat64.example", &[&["64:ff9b::7f00:42"]]),
        ("lan.example", &[&["192.168.1.1"]]),
        ("cgnat.example", &[&["100.64.0.1"]]),
        ("meta.example", &[&["169.254.169.254"]]),
        ("rebinding.example", &[&["127.0.0.66"], &["127.0.0.66"]]),
        ("zero.example", &[&["0.0.0.0"]]),
    ]);
    let fetcher = Fetcher::assemble(NetConfig::default(), Arc::new(SystemClock), names.clone())
        .expect("fetcher");
    let hosts: Vec<String> = names.table.lock().expect("lock").keys().cloned().collect();
    for host in &hosts {
        let url: Url = format!("http://{host}/").parse().expect("URL");
        let error = fetcher
            .get_api(url.clone(), "*/*", &[])
            .await
            .expect_err(host);
        assert!(
            matches!(&error, FetchError::Refused(Refusal::Private { host: h, .. }) if h == host),
            "{host}: {error}"
        );
        let error = get(&fetcher, url).await.expect_err(host);
        assert_eq!(error.trouble(), Trouble::Refused, "{host}: {error}");
    }
    for victim in victims.iter().flatten() {
        assert_eq!(victim.connections(), 0);
    }
}

/// The name answers with a public address while it is looked at and with a private one
/// afterwards. There is one lookup only, and its answer is the one connected to.
#[tokio::test]
async fn there_is_no_second_lookup_to_lie_to() {
    let victim = victim_on_port_80("127.0.0.67").await;
    // 240.0.0.1 would be refused; a public address nobody answers at is not at hand on
    // loopback, so the first answer is empty: allowed, and leads nowhere.
    let names = Names::new(&[("rebinding.example", &[&[], &["127.0.0.67"]])]);
    let fetcher = Fetcher::assemble(NetConfig::default(), Arc::new(SystemClock), names.clone())
        .expect("fetcher");
    let url: Url = "http://rebinding.example/".parse().expect("URL");
    let error = fetcher
        .get_api(url.clone(), "*/*", &[])
        .await
        .expect_err("nowhere");
    assert_eq!(error.trouble(), Trouble::VendorDown, "{error}");
    assert_eq!(names.lookups.load(Ordering::SeqCst), 1);
    let error = fetcher.get_api(url, "*/*", &[]).await.expect_err("private");
    assert_eq!(error.trouble(), Trouble::Refused, "{error}");
    if let Some(victim) = victim {
        assert_eq!(victim.connections(), 0);
    }
}

#[tokio::test]
async fn a_listed_name_may_be_at_home() {
    let nas = Server::start(|r: &Request| page(r, 200, &[], b"mine")).await;
    let port = nas.address.port();
    let names = Names::new(&[("nas.example", &[&["127.0.0.1"]])]);
    let config = NetConfig {
        allow_private: vec![format!("nas.example:{port}")],
        ..config(&[])
    };
    let fetcher = Fetcher::assemble(config, Arc::new(SystemClock), names).expect("fetcher");
    let url: Url = format!("http://nas.example:{port}/").parse().expect("URL");
    assert_eq!(get(&fetcher, url).await.expect("page").body, b"mine");
    let url: Url = "http://nas.example/".parse().expect("URL");
    let error = get(&fetcher, url).await.expect_err("another port");
    assert_eq!(error.trouble(), Trouble::Refused);
}

#[test]
fn nonsense_in_the_list_of_exceptions_is_said() {
    let config = NetConfig {
        allow_private: vec!["*".into()],
        ..NetConfig::default()
    };
    assert!(matches!(Fetcher::new(config), Err(FetchError::Setup(_))));
}
