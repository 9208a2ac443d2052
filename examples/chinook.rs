//! Chinook, the digital music shop of so many tutorials: a schema that follows nobody's conventions.
//!
//! `cargo run --example chinook -- FOLDER`, where FOLDER holds `chinook-sqlite.sql`.
//!
//! Tables are singular and everything is in PascalCase (`Album.AlbumId`), so every model names its table and its
//! columns; associations then need no more options than elsewhere. `Employee` refers to itself, a customer's
//! `support_rep` is an employee, `PlaylistTrack` has a key of two columns, prices are decimals.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use relata::{Db, Result, model};
use relata_examples::{given, load, skip};
use rust_decimal::Decimal;

/// Who plays.
#[model(table = "Artist")]
pub struct Artist {
    #[column(name = "ArtistId")]
    id: i64,
    #[column(name = "Name")]
    name: Option<String>,
    #[has_many]
    albums: Album,
}

/// What is sold whole.
#[model(table = "Album")]
pub struct Album {
    #[column(name = "AlbumId")]
    id: i64,
    #[column(name = "Title")]
    title: String,
    #[column(name = "ArtistId")]
    artist_id: i64,
    #[belongs_to]
    artist: Artist,
    #[has_many]
    tracks: Track,
}

/// What is sold by the piece.
#[model(table = "Track")]
pub struct Track {
    #[column(name = "TrackId")]
    id: i64,
    #[column(name = "Name")]
    name: String,
    #[column(name = "AlbumId")]
    album_id: Option<i64>,
    #[column(name = "MediaTypeId")]
    media_type_id: i64,
    #[column(name = "GenreId")]
    genre_id: Option<i64>,
    #[column(name = "Milliseconds")]
    milliseconds: i64,
    #[column(name = "UnitPrice")]
    unit_price: Decimal,
    #[belongs_to]
    album: Option<Album>,
    #[belongs_to]
    media_type: MediaType,
    #[belongs_to]
    genre: Option<Genre>,
    #[has_many]
    invoice_lines: InvoiceLine,
    #[has_many]
    playlist_tracks: PlaylistTrack,
}

/// Rock, Latin, Metal.
#[model(table = "Genre")]
pub struct Genre {
    #[column(name = "GenreId")]
    id: i64,
    #[column(name = "Name")]
    name: Option<String>,
    #[has_many]
    tracks: Track,
}

/// How a track is encoded.
#[model(table = "MediaType")]
pub struct MediaType {
    #[column(name = "MediaTypeId")]
    id: i64,
    #[column(name = "Name")]
    name: Option<String>,
    #[has_many]
    tracks: Track,
}

/// A list of tracks.
#[model(table = "Playlist")]
pub struct Playlist {
    #[column(name = "PlaylistId")]
    id: i64,
    #[column(name = "Name")]
    name: Option<String>,
    #[has_many]
    playlist_tracks: PlaylistTrack,
}

/// A track on a list: its key is the pair.
#[model(table = "PlaylistTrack", primary_key = (playlist_id, track_id))]
pub struct PlaylistTrack {
    #[column(name = "PlaylistId")]
    playlist_id: i64,
    #[column(name = "TrackId")]
    track_id: i64,
    #[belongs_to]
    playlist: Playlist,
    #[belongs_to]
    track: Track,
}

/// Who works here.
#[model(table = "Employee")]
pub struct Employee {
    #[column(name = "EmployeeId")]
    id: i64,
    #[column(name = "FirstName")]
    first_name: String,
    #[column(name = "LastName")]
    last_name: String,
    #[column(name = "ReportsTo")]
    boss_id: Option<i64>,
    #[belongs_to]
    boss: Option<Employee>,
    #[has_many(foreign_key = boss_id)]
    staff: Employee,
    #[has_many(foreign_key = support_rep_id)]
    customers: Customer,
}

/// Who buys.
#[model(table = "Customer")]
pub struct Customer {
    #[column(name = "CustomerId")]
    id: i64,
    #[column(name = "FirstName")]
    first_name: String,
    #[column(name = "LastName")]
    last_name: String,
    #[column(name = "Email")]
    email: String,
    #[column(name = "SupportRepId")]
    support_rep_id: Option<i64>,
    #[belongs_to]
    support_rep: Option<Employee>,
    #[has_many]
    invoices: Invoice,
}

/// What was bought at once.
#[model(table = "Invoice")]
pub struct Invoice {
    #[column(name = "InvoiceId")]
    id: i64,
    #[column(name = "CustomerId")]
    customer_id: i64,
    #[column(name = "InvoiceDate")]
    invoice_date: NaiveDateTime,
    #[column(name = "Total")]
    total: Decimal,
    #[belongs_to]
    customer: Customer,
    #[has_many]
    invoice_lines: InvoiceLine,
}

/// One track of an invoice.
#[model(table = "InvoiceLine")]
pub struct InvoiceLine {
    #[column(name = "InvoiceLineId")]
    id: i64,
    #[column(name = "InvoiceId")]
    invoice_id: i64,
    #[column(name = "TrackId")]
    track_id: i64,
    #[column(name = "UnitPrice")]
    unit_price: Decimal,
    #[column(name = "Quantity")]
    quantity: i64,
    #[belongs_to]
    invoice: Invoice,
    #[belongs_to]
    track: Track,
}

type Reflection = &'static relata::reflection::ModelReflection;

/// Every model, each after those that it refers to.
fn models() -> [Reflection; 11] {
    [
        Artist::reflection(),
        Album::reflection(),
        Genre::reflection(),
        MediaType::reflection(),
        Track::reflection(),
        Playlist::reflection(),
        PlaylistTrack::reflection(),
        Employee::reflection(),
        Customer::reflection(),
        Invoice::reflection(),
        InvoiceLine::reflection(),
    ]
}

/// What a walk through the shop finds.
#[derive(Debug, PartialEq)]
struct Report {
    /// Rows, in the order of the models.
    counts: Vec<u64>,
    artist_with_most_albums: Option<(String, u64)>,
    artists_without_album: usize,
    /// Each employee with the names of those above, and how many customers they look after.
    employees: Vec<(String, Vec<String>, usize)>,
    /// The artists on the playlist called "Grunge", with how many tracks of each.
    grunge: BTreeMap<String, usize>,
    revenue: Decimal,
    revenue_of_rock: Decimal,
    best_customer: Option<(String, Decimal)>,
}

async fn report(db: &Db) -> Result<Report> {
    let mut counts = Vec::new();
    for model in models() {
        counts.push(relata::Relation::of(model, db).count().await?);
    }
    let mut albums = Album::all(db).count_by(|a| a.artist.name).await?;
    albums.sort_by_key(|(name, count)| (u64::MAX - count, name.clone()));

    let mut artists_without_album = 0;
    for artist in Artist::all(db).includes(|a| a.albums).await? {
        artists_without_album += usize::from(artist.albums().await?.is_empty());
    }

    let mut employees = Vec::new();
    for employee in Employee::all(db).order(|e| e.id.asc()).await? {
        let mut above = Vec::new();
        let mut at = employee.clone();
        while let Some(boss) = at.boss().await? {
            above.push(boss.last_name().to_owned());
            at = boss;
        }
        let customers = employee.customers().await?.len();
        employees.push((employee.last_name().to_owned(), above, customers));
    }

    let mut grunge = BTreeMap::new();
    let lists = Playlist::all(db).filter(|p| p.name.eq("Grunge"));
    for list in lists
        .includes(|p| p.playlist_tracks.track.album.artist)
        .await?
    {
        for entry in list.playlist_tracks().await? {
            let Some(album) = entry.track().await?.album().await? else {
                continue;
            };
            let artist = album.artist().await?;
            *grunge
                .entry(artist.name().unwrap_or("?").to_owned())
                .or_default() += 1;
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
        counts,
        artist_with_most_albums: albums
            .into_iter()
            .next()
            .map(|(name, count)| (name.unwrap_or_default(), count)),
        artists_without_album,
        employees,
        grunge,
        revenue: Invoice::all(db).sum(|i| i.total).await?,
        revenue_of_rock: rock.sum(|l| l.unit_price).await?,
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
            skip("chinook", "github.com/lerocha/chinook-database");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shop of the same shape, made through the models.
    async fn small(db: &Db) -> Result<()> {
        db.create_tables(models()).await?;
        let nirvana = Artist::create(db, |a| a.set_name(Some("Nirvana"))).await?;
        Artist::create(db, |a| a.set_name(Some("Nobody"))).await?;
        let album = nirvana
            .albums()
            .create(|a| a.set_title("Nevermind"))
            .await?;
        let rock = Genre::create(db, |g| g.set_name(Some("Rock"))).await?;
        let audio = MediaType::create(db, |m| m.set_name(Some("MPEG audio file"))).await?;
        let price = Decimal::new(99, 2);
        let mut tracks = Vec::new();
        for name in ["Breed", "Lithium"] {
            let track = album
                .tracks()
                .build(|t| t.set_name(name).set_milliseconds(1));
            track
                .set_unit_price(price)
                .set_genre(&rock)
                .set_media_type(&audio);
            track.save().await?;
            tracks.push(track);
        }
        let grunge = Playlist::create(db, |p| p.set_name(Some("Grunge"))).await?;
        for track in &tracks {
            grunge
                .playlist_tracks()
                .create(|t| t.set_track(track))
                .await?;
        }
        let boss = Employee::create(db, |e| e.set_first_name("Ann").set_last_name("Adams")).await?;
        let park = boss
            .staff()
            .create(|e| e.set_first_name("Bo").set_last_name("Park"))
            .await?;
        let customer = park
            .customers()
            .build(|c| c.set_first_name("Cat").set_last_name("Holý"));
        customer.set_email("cat@example.org");
        customer.save().await?;
        let invoice = customer
            .invoices()
            .build(|i| i.set_total(Decimal::new(297, 2)));
        invoice.set_invoice_date(NaiveDateTime::default());
        for (track, quantity) in tracks.iter().zip([1, 2]) {
            let line = invoice.invoice_lines().build(|l| l.set_quantity(quantity));
            line.set_unit_price(price).set_track(track);
        }
        invoice.save().await
    }

    #[relata::test]
    async fn a_small_shop_of_the_same_shape_gives_its_answers(db: Db) -> Result<()> {
        small(&db).await?;
        assert_eq!(db.check_tables(models()).await?, []);
        let found = report(&db).await?;
        let wanted = Report {
            counts: vec![2, 1, 1, 1, 2, 1, 2, 2, 1, 1, 2],
            artist_with_most_albums: Some(("Nirvana".to_owned(), 1)),
            artists_without_album: 1,
            employees: vec![
                ("Adams".to_owned(), Vec::new(), 0),
                ("Park".to_owned(), vec!["Adams".to_owned()], 1),
            ],
            grunge: BTreeMap::from([("Nirvana".to_owned(), 2)]),
            revenue: Decimal::new(297, 2),
            revenue_of_rock: Decimal::new(198, 2),
            best_customer: Some(("Cat Holý".to_owned(), Decimal::new(297, 2))),
        };
        assert_eq!(found, wanted);
        Ok(())
    }
}
