//! Orders that hold as long as no others are given.

use relata::reflection::{Declared, Setting};
use relata::relation::Part;
use relata::{Db, ErrorKind, Relation, Result, assert_queries, assert_sql, model};

use crate::Backend;

/// What holds songs.
#[model]
pub struct Album {
    id: i64,
    title: String,
    #[has_many(default_order = |s| (s.stars.desc(), s.id))]
    songs: Song,
    #[has_many(default_order = |s| s.stars.desc(), scope = |all| all.order(|s| s.name))]
    named_songs: Song,
    #[has_many]
    plays: Play,
    #[has_many(through = plays, source = song, default_order = |s| s.name.desc())]
    played: Song,
    #[has_many(default_order = |s| s.stars.desc(), scope = |all| all.limit(1).per_owner())]
    best: Song,
}

/// What is sung.
#[model]
pub struct Song {
    id: i64,
    name: String,
    stars: i64,
    album_id: i64,
    #[belongs_to]
    album: Album,
}

/// When it was sung.
#[model]
pub struct Play {
    id: i64,
    album_id: i64,
    #[belongs_to]
    album: Album,
    song_id: i64,
    #[belongs_to]
    song: Song,
}

/// Two albums, of the songs A (1 star), B (3) and C (2), and of D (5); each played once.
async fn music(backend: &Backend) -> Result<Db> {
    let db = backend.open().await?;
    db.create_tables([Album::reflection(), Song::reflection(), Play::reflection()])
        .await?;
    let first = Album::create(&db, |a| a.set_title("First")).await?;
    let second = Album::create(&db, |a| a.set_title("Second")).await?;
    for (name, stars, album) in [
        ("A", 1, &first),
        ("B", 3, &first),
        ("C", 2, &first),
        ("D", 5, &second),
    ] {
        let song =
            Song::create(&db, |s| s.set_name(name).set_stars(stars).set_album(album)).await?;
        Play::create(&db, |p| p.set_album(album).set_song(&song)).await?;
    }
    Ok(db)
}

fn names(songs: &[Song]) -> String {
    songs.iter().map(Song::name).collect()
}

/// An order by default holds until another is given, whichever comes first.
pub async fn an_order_by_default_gives_way(backend: &Backend) -> Result<()> {
    let db = music(backend).await?;
    let songs = || Song::all(&db).default_order(|s| s.stars.desc());
    assert_eq!(names(&songs().await?), "DBCA");
    assert_eq!(songs().first().await?.unwrap().name(), "D");
    assert_eq!(songs().last().await?.unwrap().name(), "A");
    assert_eq!(names(&songs().reverse_order().await?), "ACBD");
    assert_eq!(names(&songs().order(|s| s.name).await?), "ABCD");
    let before = Song::all(&db).order(|s| s.name.desc());
    assert_eq!(names(&before.default_order(|s| s.stars).await?), "DCBA");
    assert_eq!(names(&songs().reorder(|s| s.name).await?), "ABCD");
    let by_name = Song::all(&db).order(|s| s.name);
    assert_eq!(names(&songs().merge(by_name.clone())?.await?), "ABCD");
    assert_eq!(names(&by_name.merge(songs())?.await?), "ABCD");
    let bare = songs().unscope(Part::Orders).to_sql();
    assert!(!bare.contains("ORDER BY"), "{bare}");
    // By name, without types.
    let all = || Relation::of(Song::reflection(), &db);
    assert_eq!(
        all().default_order_by("stars desc, name")?.to_sql(),
        r#"SELECT "songs".* FROM "songs" ORDER BY "songs"."stars" DESC, "songs"."name" ASC"#
    );
    assert_eq!(
        all()
            .default_order_by("stars desc")?
            .order_by("name")?
            .to_sql(),
        r#"SELECT "songs".* FROM "songs" ORDER BY "songs"."name" ASC"#
    );
    let error = all().default_order_by("starz").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownAttribute);
    Ok(())
}

/// An association's order by default is that of its targets, read lazily, for siblings, and preloaded.
pub async fn an_association_has_an_order_by_default(backend: &Backend) -> Result<()> {
    let db = music(backend).await?;
    let album = Album::find(&db, 1).await?;
    assert_sql!(
        db,
        [
            r#"SELECT "songs".* FROM "songs" WHERE "songs"."album_id" = ? ORDER BY "songs"."stars" DESC, "songs"."id" ASC"#
        ],
        { assert_eq!(names(&album.songs().await?), "BCA") }
    );
    assert_eq!(names(&album.songs().order(|s| s.name).await?), "ABC");
    assert_eq!(
        names(&album.named_songs().await?),
        "ABC",
        "its scope has one"
    );
    assert_eq!(names(&album.played().await?), "CBA");
    assert_eq!(album.songs().count().await?, 3);
    for albums in [
        Album::all(&db).order(|a| a.id).await?,
        Album::all(&db)
            .order(|a| a.id)
            .preload(|a| (a.songs, a.played, a.best))
            .await?,
    ] {
        assert_eq!(names(&albums[0].songs().await?), "BCA");
        assert_eq!(names(&albums[1].songs().await?), "D");
        assert_eq!(names(&albums[0].played().await?), "CBA");
        assert_eq!(names(&albums[0].best().await?), "B");
        assert_eq!(names(&albums[1].best().await?), "D");
    }
    // A join has no order for it.
    assert_queries!(db, 1, {
        Album::all(&db).eager_load(|a| a.songs).await?;
    });
    // In words.
    let declared = Declared::new("Album", "has_many", "songs")?;
    let declared = declared.option("default_order", Setting::Text("stars desc".to_owned()))?;
    let target = relata::reflection::Target::Model(Song::reflection);
    assert!(declared.leading_to(target)?.default_order().is_some());
    Ok(())
}
