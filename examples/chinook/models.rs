//! The tables, as models: each names its table and its columns.

use chrono::NaiveDateTime;
use relata::model;
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
    #[has_many(through = albums)]
    tracks: Track,
    /// The lists that play something of theirs.
    #[has_many(through = tracks, scope = |p| p.distinct().order(|p| p.id))]
    playlists: Playlist,
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
    /// Many to many over the table of `PlaylistTrack`, without the model.
    #[has_and_belongs_to_many(
        join_table = PlaylistTrack,
        foreign_key = TrackId,
        association_foreign_key = PlaylistId
    )]
    playlists: Playlist,
    #[has_one(through = album)]
    artist: Option<Artist>,
    #[has_many(through = invoice_lines)]
    invoices: Invoice,
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
    #[has_many(through = playlist_tracks, source = track)]
    listed_tracks: Track,
    #[has_and_belongs_to_many(
        join_table = PlaylistTrack,
        foreign_key = PlaylistId,
        association_foreign_key = TrackId
    )]
    tracks: Track,
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
    #[has_many(through = staff, source = staff)]
    staff_of_staff: Employee,
    #[has_many(foreign_key = support_rep_id)]
    customers: Customer,
    /// What those bought whom the employee looks after.
    #[has_many(through = customers)]
    invoices: Invoice,
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
    #[has_many(through = invoices)]
    invoice_lines: InvoiceLine,
    #[has_many(through = invoice_lines)]
    tracks: Track,
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
    #[has_many(through = invoice_lines)]
    tracks: Track,
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

/// Every model, each after those that it refers to.
pub(crate) fn models() -> [&'static relata::reflection::ModelReflection; 11] {
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
