//! Chinook, the digital music shop of so many tutorials: a schema that follows nobody's conventions.
//!
//! `cargo run --example chinook -- FOLDER`, where FOLDER holds `chinook-sqlite.sql`.
//!
//! Tables are singular and everything is in PascalCase (`Album.AlbumId`), so every model names its table and its
//! columns; associations then need no more options than elsewhere. `Employee` refers to itself, a customer's
//! `support_rep` is an employee, `PlaylistTrack` has a key of two columns, prices are decimals.

mod models;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use models::{Album, Artist, Customer, Employee, Invoice, InvoiceLine, Playlist, Track, models};
use relata::loading::{counts, sums};
use relata::{Db, Result};
use relata_examples::{given, load, skip};
use rust_decimal::Decimal;

/// What a walk through the shop finds.
#[derive(Debug, PartialEq)]
struct Report {
    /// Rows, in the order of the models.
    counts: Vec<u64>,
    artist_with_most_albums: Option<(String, u64)>,
    artists_without_album: usize,
    /// Each employee with the names of those above, and how many customers they look after.
    employees: Vec<(String, Vec<String>, usize)>,
    /// Those two below the first of them.
    staff_of_staff: Vec<String>,
    /// The artists on the playlist called "Grunge", with how many tracks of each.
    grunge: BTreeMap<String, usize>,
    /// How many tracks the lists hold in all: through the rows between, and without their model.
    listed_tracks: (u64, u64),
    /// The lists that play something of the artist with the most albums.
    lists_of_that_artist: Vec<String>,
    unsold_tracks: u64,
    artist_with_most_sales: Option<(String, u64)>,
    revenue: Decimal,
    revenue_of_rock: Decimal,
    /// By those who look after customers, through these.
    revenue_by_employee: Vec<(String, Decimal)>,
    best_customer: Option<(String, Decimal)>,
}

/// Of several with as many, the first by name.
fn largest(mut counts: Vec<(Option<String>, u64)>) -> Option<(String, u64)> {
    counts.sort_by_key(|(name, count)| (u64::MAX - count, name.clone()));
    let (name, count) = counts.into_iter().next()?;
    Some((name.unwrap_or_default(), count))
}

async fn report(db: &Db) -> Result<Report> {
    let mut rows = Vec::new();
    for model in models() {
        rows.push(relata::Relation::of(model, db).count().await?);
    }
    let albums = largest(Album::all(db).count_by(|a| a.artist.name).await?);
    let sales = InvoiceLine::all(db).count_by(|l| l.track.artist.name);
    let mut lists_of_that_artist = Vec::new();
    if let Some((name, _)) = &albums {
        let artist = Artist::all(db)
            .find_by_or_fail(|a| a.name.eq(name.as_str()))
            .await?;
        for list in artist.playlists().await? {
            lists_of_that_artist.push(list.name().unwrap_or_default().to_owned());
        }
    }

    let mut artists_without_album = 0;
    for artist in Artist::all(db).includes(|a| a.albums).await? {
        artists_without_album += usize::from(artist.albums().await?.is_empty());
    }

    let mut employees = Vec::new();
    let mut staff_of_staff = Vec::new();
    let everybody = Employee::all(db)
        .order(|e| e.id.asc())
        .includes(|e| (e.boss, e.customers, e.staff_of_staff))
        .await?;
    for employee in &everybody {
        let mut above = Vec::new();
        let mut at = employee.clone();
        while let Some(boss) = at.boss().await? {
            above.push(boss.last_name().to_owned());
            at = boss;
        }
        let customers = employee.customers().await?.len();
        if above.is_empty() {
            for employee in employee.staff_of_staff().await? {
                staff_of_staff.push(employee.last_name().to_owned());
            }
        }
        employees.push((employee.last_name().to_owned(), above, customers));
    }
    let revenues = sums(&everybody, |e| e.invoices.total).await?;
    let revenue_by_employee = everybody
        .iter()
        .map(|employee| employee.last_name().to_owned())
        .zip(revenues)
        .filter(|(_, revenue)| !revenue.is_zero())
        .collect();

    let mut grunge = BTreeMap::new();
    let lists = Playlist::all(db).order(|p| p.id).await?;
    let listed_tracks = (
        counts(&lists, |p| p.listed_tracks).await?.iter().sum(),
        counts(&lists, |p| p.tracks).await?.iter().sum(),
    );
    let named = Playlist::all(db).filter(|p| p.name.eq("Grunge"));
    for list in named.includes(|p| p.tracks.artist).await? {
        for track in list.tracks().await? {
            if let Some(artist) = track.artist().await? {
                *grunge
                    .entry(artist.name().unwrap_or("?").to_owned())
                    .or_default() += 1;
            }
        }
    }

    // Every invoice is the sum of its lines.
    let mut spent: BTreeMap<i64, Decimal> = BTreeMap::new();
    for invoice in Invoice::all(db).includes(|i| i.invoice_lines).await? {
        let lines = invoice.invoice_lines().await?;
        let sum: Decimal = lines
            .iter()
            .map(|l| l.unit_price() * Decimal::from(l.quantity()))
            .sum();
        assert_eq!(sum, invoice.total(), "invoice {}", invoice.id());
        *spent.entry(invoice.customer_id()).or_default() += sum;
    }
    let best_customer = match spent.into_iter().max_by_key(|(_, spent)| *spent) {
        Some((id, spent)) => {
            let customer = Customer::find(db, id).await?;
            Some((
                format!("{} {}", customer.first_name(), customer.last_name()),
                spent,
            ))
        }
        None => None,
    };
    let rock = InvoiceLine::all(db).filter(|l| l.track.genre.name.eq("Rock"));
    Ok(Report {
        counts: rows,
        artist_with_most_albums: albums,
        artists_without_album,
        employees,
        staff_of_staff,
        grunge,
        listed_tracks,
        lists_of_that_artist,
        unsold_tracks: Track::all(db).missing(|t| t.invoices).count().await?,
        artist_with_most_sales: largest(sales.await?),
        revenue: Invoice::all(db).sum(|i| i.total).await?,
        revenue_of_rock: rock.sum(|l| l.unit_price).await?,
        revenue_by_employee,
        best_customer,
    })
}

/// What the data set's own notes say, and plain SQL.
fn known() -> Report {
    let employee = |name: &str, above: &[&str], customers| {
        let above = above.iter().map(|&name| String::from(name)).collect();
        (name.to_owned(), above, customers)
    };
    let artists = [
        ("Nirvana", 6),
        ("Pearl Jam", 4),
        ("Soundgarden", 2),
        ("Alice In Chains", 1),
        ("Stone Temple Pilots", 1),
        ("Temple of the Dog", 1),
    ];
    Report {
        counts: vec![275, 347, 25, 5, 3_503, 18, 8_715, 8, 59, 412, 2_240],
        artist_with_most_albums: Some(("Iron Maiden".to_owned(), 21)),
        artists_without_album: 71,
        employees: vec![
            employee("Adams", &[], 0),
            employee("Edwards", &["Adams"], 0),
            employee("Peacock", &["Edwards", "Adams"], 21),
            employee("Park", &["Edwards", "Adams"], 20),
            employee("Johnson", &["Edwards", "Adams"], 18),
            employee("Mitchell", &["Adams"], 0),
            employee("King", &["Mitchell", "Adams"], 0),
            employee("Callahan", &["Mitchell", "Adams"], 0),
        ],
        staff_of_staff: ["Peacock", "Park", "Johnson", "King", "Callahan"]
            .map(str::to_owned)
            .into(),
        listed_tracks: (8_715, 8_715),
        lists_of_that_artist: ["Music", "90’s Music", "Music", "Heavy Metal Classic"]
            .map(str::to_owned)
            .into(),
        unsold_tracks: 1_519,
        artist_with_most_sales: Some(("Iron Maiden".to_owned(), 140)),
        revenue_by_employee: [("Peacock", 83_304), ("Park", 77_540), ("Johnson", 72_016)]
            .map(|(name, cents)| (name.to_owned(), Decimal::new(cents, 2)))
            .into(),
        grunge: artists
            .map(|(name, tracks)| (name.to_owned(), tracks))
            .into(),
        revenue: Decimal::new(232_860, 2),
        revenue_of_rock: Decimal::new(82_665, 2),
        best_customer: Some(("Helena Holý".to_owned(), Decimal::new(4_962, 2))),
    }
}

/// Loads the set, checks the models against its tables, and walks.
async fn shop(folder: &std::path::Path) -> Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    load(&db, &folder.join("chinook-sqlite.sql")).await?;
    assert_eq!(db.check_tables(models()).await?, []);
    let found = report(&db).await?;
    println!("{found:#?}");
    assert_eq!(found, known());
    Ok(())
}

fn main() -> Result<()> {
    match given("chinook") {
        Some(folder) => relata::run(shop(&folder)),
        None => {
            skip("chinook", SOURCE);
            Ok(())
        }
    }
}

const SOURCE: &str = "github.com/lerocha/chinook-database";
