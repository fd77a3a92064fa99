//! Pairs that a person would never take for one product, however alike they read.

use super::tests::rec;
use super::{Prepared, Rec, Vocabulary, Zone, decide_pairs, explain};

/// Neither alone, nor as the only pair of a batch, nor with other pairs around.
fn never_the_same(pairs: &[(&str, &str)]) {
    let records: Vec<Rec> = pairs.iter().flat_map(|(a, b)| [rec(a), rec(b)]).collect();
    let numbers: Vec<(usize, usize)> = (0..pairs.len()).map(|i| (2 * i, 2 * i + 1)).collect();
    let vocabulary = Vocabulary::default();
    let mut wrong = Vec::new();
    for ((a, b), judged) in pairs.iter().zip(decide_pairs(&records, &numbers)) {
        let (x, y) = (rec(a), rec(b));
        let alone = explain(
            &Prepared::new(&x, &vocabulary),
            &Prepared::new(&y, &vocabulary),
        );
        let single = decide_pairs(&[x, y], &[(0, 1)]).remove(0);
        if [&alone, &single, &judged]
            .iter()
            .any(|j| j.zone == Zone::Same)
        {
            wrong.push(format!(
                "{a} / {b}: {:.3} {:.3} {:.3} {:?}",
                alone.score, single.score, judged.score, alone.reasons
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn software_editions_versions_and_licences() {
    never_the_same(&[
        (
            "Microsoft Office Standard 2007 Upgrade",
            "Microsoft Office Standard 2007 Full Version",
        ),
        (
            "Adobe Acrobat 8 Professional Academic",
            "Adobe Acrobat 8 Professional",
        ),
        (
            "Adobe Creative Suite 3 Web Premium Upgrade Mac",
            "Adobe Creative Suite 3 Web Premium Mac",
        ),
        ("Quicken Deluxe 2007", "Quicken Deluxe 2008"),
        (
            "Microsoft Visual Studio 2005 Professional",
            "Microsoft Visual Studio 2008 Professional",
        ),
        (
            "Adobe Photoshop CS3 for Mac",
            "Adobe Photoshop CS3 for Windows",
        ),
        ("FileMaker Pro 9 for Mac", "FileMaker Pro 9 for Windows"),
        (
            "Norton Antivirus 2008 1 User",
            "Norton Antivirus 2008 10 User",
        ),
        (
            "Kaspersky Anti-Virus 7.0 3-User",
            "Kaspersky Internet Security 7.0 3-User",
        ),
        (
            "Sage Peachtree Pro Accounting 2008",
            "Sage Peachtree Complete Accounting 2008",
        ),
        (
            "Microsoft Windows Vista Home Basic",
            "Microsoft Windows Vista Home Premium",
        ),
        (
            "Microsoft SQL Server 2005 Standard Edition",
            "Microsoft SQL Server 2005 Enterprise Edition",
        ),
        ("Nero 7 Ultra Edition", "Nero 8 Ultra Edition"),
        (
            "Adobe Dreamweaver CS3 Upgrade from Studio 8",
            "Adobe Dreamweaver CS3",
        ),
        ("AutoCAD LT 2009 Student", "AutoCAD LT 2009"),
    ]);
}

#[test]
fn electronics_one_sign_apart() {
    never_the_same(&[
        (
            "Sony Bravia KDL-40V3000 40\" LCD HDTV",
            "Sony Bravia KDL-46V3000 46\" LCD HDTV",
        ),
        (
            "Samsung LN40A550 40\" LCD TV",
            "Samsung LN40A650 40\" LCD TV",
        ),
        ("LG 42LG50 42\" LCD HDTV", "LG 42LG60 42\" LCD HDTV"),
        (
            "Panasonic Viera TH-42PX80U 42\" Plasma",
            "Panasonic Viera TH-42PZ80U 42\" Plasma",
        ),
        (
            "Canon EOS 40D Digital SLR Camera",
            "Canon EOS 50D Digital SLR Camera",
        ),
        (
            "Canon PowerShot SD1100 IS Digital Camera Silver",
            "Canon PowerShot SD1100 IS Digital Camera Pink",
        ),
        ("Apple iPod nano 8GB Black", "Apple iPod nano 16GB Black"),
        (
            "SanDisk Extreme III 4GB CompactFlash Card",
            "SanDisk Extreme III 8GB CompactFlash Card",
        ),
        (
            "Garmin nuvi 260 GPS Navigator",
            "Garmin nuvi 260W GPS Navigator",
        ),
        (
            "Netgear GS108 8-Port Gigabit Switch",
            "Netgear GS116 16-Port Gigabit Switch",
        ),
        ("Nikon AF-S DX 18-55mm Lens", "Nikon AF-S DX 18-135mm Lens"),
        (
            "Intel Core i5-12400 Processor",
            "Intel Core i5-12400F Processor",
        ),
        (
            "Bose Companion 2 Series II Speakers Black",
            "Bose Companion 3 Series II Speakers Black",
        ),
    ]);
}

#[test]
fn accessories_and_what_they_are_for() {
    never_the_same(&[
        (
            "Canon PowerShot SD1100 IS Digital Camera",
            "Battery for Canon PowerShot SD1100 IS Digital Camera",
        ),
        (
            "Apple iPod touch 16GB",
            "Belkin Leather Case for Apple iPod touch 16GB",
        ),
        (
            "HP LaserJet P1005 Printer",
            "Toner Cartridge for HP LaserJet P1005 Printer",
        ),
        (
            "Bosch GSR 12V-15 Akkuschrauber",
            "Ladegerät für Bosch GSR 12V-15 Akkuschrauber",
        ),
        (
            "Dyson V11 Absolute",
            "Dyson V11 Absolute Replacement Filter",
        ),
        ("Samsung Galaxy S21 5G", "Coque pour Samsung Galaxy S21 5G"),
        (
            "Microsoft Xbox 360 Elite Console",
            "Microsoft Xbox 360 Wireless Controller",
        ),
    ]);
}

#[test]
fn colours_packs_and_flavours_in_many_languages() {
    never_the_same(&[
        (
            "KitchenAid Artisan Mixer Empire Red",
            "KitchenAid Artisan Mixer Onyx Black",
        ),
        (
            "Energizer AA Batteries 4 Pack",
            "Energizer AA Batteries 24 Pack",
        ),
        ("Coca-Cola 6x1,5l", "Coca-Cola 1,5 l"),
        (
            "Mineralwasser Gerolsteiner 6 x 1,5 l",
            "Gerolsteiner Mineralwasser 1,5 l",
        ),
        ("Lait demi-écrémé Lactel 6x1L", "Lait demi-écrémé Lactel 1L"),
        ("Mleko Łaciate 3,2% 1 l", "Mleko Łaciate 2,0% 1 l"),
        (
            "Milch 3,5% Fett 1 l Weihenstephan",
            "Milch 1,5% Fett 1 l Weihenstephan",
        ),
        (
            "Jogurt truskawkowy Zott 150 g",
            "Jogurt brzoskwiniowy Zott 150 g",
        ),
        (
            "Müller Joghurt Erdbeere 150 g",
            "Müller Joghurt Kirsche 150 g",
        ),
        ("Yogurt Müller fragola 150 g", "Yogurt Müller pesca 150 g"),
        (
            "Danone yaourt vanille 4x125g",
            "Danone yaourt citron 4x125g",
        ),
        (
            "Yogur Danone fresa 4 x 125 g",
            "Yogur Danone limón 4 x 125 g",
        ),
        ("Lays chips paprika 150 g", "Lays chips naturel 150 g"),
        ("Milka Noisette 100 g", "Milka Noisette 300 g"),
        ("Haribo Goldbären 200 g", "Haribo Goldbären 1 kg"),
        ("Сок Добрый яблоко 1 л", "Сок Добрый апельсин 1 л"),
        (
            "Barilla Penne Rigate n.73 500 g",
            "Barilla Spaghetti n.5 500 g",
        ),
        (
            "Persil Universal 20 prań 1,1 kg",
            "Persil Universal 40 prań 2,2 kg",
        ),
        ("Coca-Cola Zero 330 ml", "Coca-Cola 330 ml"),
        ("Lavazza Espresso decaf 250 g", "Lavazza Espresso 250 g"),
    ]);
}
