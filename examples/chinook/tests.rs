//! A shop of the same shape, made through the models; and the set itself, where it is given.

use chrono::NaiveDateTime;
use relata::{assert_queries, assert_sql};

use super::*;
use crate::models::{Genre, MediaType, PlaylistTrack};

/// Where RELATA_DATA_CHINOOK leads to the set, everything that the program asserts, as a test.
#[relata::test]
fn the_set_gives_its_answers() {
    match relata_examples::given_to_tests("chinook") {
        Some(folder) => relata::run(shop(&folder)).unwrap(),
        None => skip("chinook", SOURCE),
    }
}

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
        staff_of_staff: Vec::new(),
        listed_tracks: (2, 2),
        lists_of_that_artist: vec!["Grunge".to_owned()],
        unsold_tracks: 0,
        artist_with_most_sales: Some(("Nirvana".to_owned(), 2)),
        revenue_by_employee: vec![("Park".to_owned(), Decimal::new(297, 2))],
        grunge: BTreeMap::from([("Nirvana".to_owned(), 2)]),
        revenue: Decimal::new(297, 2),
        revenue_of_rock: Decimal::new(198, 2),
        best_customer: Some(("Cat Holý".to_owned(), Decimal::new(297, 2))),
    };
    assert_eq!(found, wanted);
    Ok(())
}

#[relata::test]
async fn lists_and_tracks_lead_to_each_other_without_a_model_between(db: Db) -> Result<()> {
    small(&db).await?;
    let grunge = Playlist::all(&db).first_or_fail().await?;
    let tracks = assert_sql!(
        db,
        [
            r#"SELECT "Track".* FROM "Track" INNER JOIN "PlaylistTrack" ON "Track"."TrackId" = "PlaylistTrack"."TrackId" WHERE "PlaylistTrack"."PlaylistId" = ?"#
        ],
        { grunge.tracks().await? }
    );
    assert_eq!(tracks.len(), 2);
    assert_sql!(
        db,
        [
            r#"DELETE FROM "PlaylistTrack" WHERE "PlaylistTrack"."PlaylistId" = ? AND "PlaylistTrack"."TrackId" = ?"#
        ],
        { grunge.tracks().delete([&tracks[0]]).await? }
    );
    let breed = Track::find(&db, tracks[0].id()).await?;
    assert!(breed.playlists().await?.is_empty());
    breed.playlists().push(&grunge).await?;
    assert_eq!(PlaylistTrack::all(&db).count().await?, 2);
    assert_eq!(
        PlaylistTrack::find(&db, (grunge.id(), breed.id()))
            .await?
            .track()
            .await?,
        breed
    );
    Ok(())
}

#[relata::test]
async fn a_customer_has_tracks_by_three_steps_and_they_an_artist_by_two(db: Db) -> Result<()> {
    small(&db).await?;
    let customers = assert_queries!(db, 6, {
        Customer::all(&db).includes(|c| c.tracks.artist).await?
    });
    assert_queries!(db, 0, {
        let tracks = customers[0].tracks().await?;
        assert_eq!(tracks.len(), 2);
        let (one, other) = (tracks[0].artist().await?, tracks[1].artist().await?);
        assert!(one.zip(other).is_some_and(|(one, other)| one.is(&other)));
        let lines = customers[0].invoices().await?[0].invoice_lines().await?;
        assert!(
            lines[0].track().await?.is(&tracks[0]),
            "the objects on the way"
        );
    });
    Ok(())
}
