//! Programs over nested attributes, on objects that stay: an album is held from step to step with what is not saved of it
//! and of its tracks, as after a form that was refused. After each step every row is compared with what the plainest
//! program says, and so are the members that memory has, of which each stays the object that it was.

use std::collections::BTreeMap;

use relata::callback::Abort;
use relata::{Db, Error, ErrorKind, Params, Permit, Raw, Result, callbacks, model, permit};

use crate::program::{Nested, shortest};
use crate::random::Random;

/// Takes values for its tracks, and counts how often it was written.
#[model]
#[accepts_nested_attributes_for(tracks(allow_destroy, limit = 3, reject_if = all_blank))]
struct Album {
    id: i64,
    #[validates(presence, length(max = 3))]
    name: String,
    #[column(default = 0)]
    tracks_count: i64,
    #[column(default = 0)]
    written: i64,
    #[has_many(dependent = destroy)]
    tracks: Track,
}

#[callbacks]
impl Album {
    #[before_save]
    fn count(&self) {
        self.set_written(self.written() + 1);
    }
}

/// Counted; some texts halt.
#[model]
struct Track {
    id: i64,
    #[validates(presence)]
    text: String,
    album_id: i64,
    #[belongs_to(counter_cache)]
    album: Album,
}

#[callbacks]
impl Track {
    #[before_save]
    fn halt(&self) -> std::result::Result<(), Abort> {
        if self.text() == "halt" {
            Err(Abort)
        } else {
            Ok(())
        }
    }

    #[before_destroy]
    fn stay(&self) -> std::result::Result<(), Abort> {
        if self.text() == "stay" {
            Err(Abort)
        } else {
            Ok(())
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// A new album, not saved.
    New(u8),
    Rename(usize, u8),
    /// Gives values to the tracks, and whether it saves at once.
    Give(usize, Vec<Given>, bool),
    Save(usize),
    /// Reads the tracks.
    Read(usize),
    Reload(usize),
    /// Another object for the row of an album.
    Load(usize),
    Destroy(usize),
    /// Steps inside, and whether all is rolled back at the end.
    Transaction(bool, Vec<Step>),
}

/// Values for one track.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    New(u8),
    /// A new one that is to be destroyed: passed over.
    Gone,
    Change(usize, u8),
    Destroy(usize),
    /// An id that is no track's of the album.
    Unknown,
}

const NAMES: [&str; 4] = ["a", "b", "", "long"];
const TEXTS: [&str; 7] = ["x", "y", "z", "w", "", "halt", "stay"];

fn name(number: u8) -> &'static str {
    NAMES[usize::from(number) % NAMES.len()]
}

fn text(number: u8) -> &'static str {
    TEXTS[usize::from(number) % TEXTS.len()]
}

impl Nested for Step {
    fn inner(&self) -> Option<&[Self]> {
        match self {
            Self::Transaction(_, inner) => Some(inner),
            _ => None,
        }
    }

    fn with(&self, inner: Vec<Self>) -> Self {
        match self {
            Self::Transaction(back, _) => Self::Transaction(*back, inner),
            other => other.clone(),
        }
    }
}

fn steps(random: &mut Random, count: usize, depth: usize) -> Vec<Step> {
    (0..count).map(|_| step(random, depth)).collect()
}

fn word(random: &mut Random) -> u8 {
    u8::try_from(random.below(14)).unwrap_or_default()
}

fn given(random: &mut Random) -> Given {
    let one = random.below(20);
    match random.below(16) {
        0..=6 => Given::New(word(random)),
        7 => Given::Gone,
        8..=11 => Given::Change(one, word(random)),
        12..=14 => Given::Destroy(one),
        _ if random.one_in(3) => Given::Unknown,
        _ => Given::New(0),
    }
}

fn step(random: &mut Random, depth: usize) -> Step {
    let one = random.below(20);
    match random.below(24) {
        0..=2 => Step::New(word(random)),
        3..=4 => Step::Rename(one, word(random)),
        5..=13 => {
            let count = 1 + random.below(3) + usize::from(random.one_in(8));
            let values = (0..count).map(|_| given(random)).collect();
            Step::Give(one, values, random.one_in(2))
        }
        14..=16 => Step::Save(one),
        17..=18 => Step::Read(one),
        19 => Step::Reload(one),
        20 => Step::Load(one),
        21 => Step::Destroy(one),
        _ if depth < 2 => {
            let (back, length) = (random.one_in(2), 1 + random.below(6));
            Step::Transaction(back, steps(random, length, depth + 1))
        }
        _ => Step::Save(one),
    }
}

/// What the rows should be: name, tracks counted, times written; text and album.
#[derive(Debug, Clone, Default, PartialEq)]
struct Rows {
    albums: BTreeMap<i64, (String, i64, i64)>,
    tracks: BTreeMap<i64, (String, i64)>,
}

/// A track in memory, as it should be.
#[derive(Clone)]
struct Member {
    object: Track,
    id: Option<i64>,
    text: String,
    /// The text of its row.
    saved: Option<String>,
    marked: bool,
}

impl Member {
    fn is_changed(&self) -> bool {
        self.saved.as_deref() != Some(&self.text)
    }
}

/// An album in memory, as it should be.
#[derive(Clone)]
struct Held {
    object: Album,
    id: Option<i64>,
    name: String,
    written: i64,
    members: Vec<Member>,
    loaded: bool,
}

/// What ended a program: a difference.
type Ended = std::result::Result<(), String>;

struct Run<'a> {
    db: &'a Db,
    rows: Rows,
    held: Vec<Held>,
}

fn list() -> Permit {
    permit![name, tracks: [id, text, _destroy]]
}

async fn stored(db: &Db) -> Result<Rows> {
    let mut rows = Rows::default();
    for one in Album::all(db).await? {
        let row = (one.name().to_owned(), one.tracks_count(), one.written());
        rows.albums.insert(one.id(), row);
    }
    for one in Track::all(db).await? {
        rows.tracks
            .insert(one.id(), (one.text().to_owned(), one.album_id()));
    }
    Ok(rows)
}

impl Run<'_> {
    async fn all(&mut self, steps: &[Step]) -> Ended {
        for step in steps {
            Box::pin(self.one(step)).await?;
            let stored = stored(self.db)
                .await
                .map_err(|error| format!("{error:?}"))?;
            if stored != self.rows {
                return Err(format!(
                    "after {step:?} the rows are\n{stored:?}\nand should be\n{:?}",
                    self.rows
                ));
            }
            for held in &mut self.held {
                compare(held).map_err(|told| format!("after {step:?} {told}"))?;
            }
        }
        Ok(())
    }

    fn chosen(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.held.len())
    }

    /// Looks at a row anew; what memory had of it is gone.
    async fn fresh(&self, id: i64) -> std::result::Result<Held, String> {
        let object = Album::find(self.db, id)
            .await
            .map_err(|error| format!("{error:?}"))?;
        let (name, _, written) = self.rows.albums.get(&id).cloned().unwrap_or_default();
        Ok(Held {
            object,
            id: Some(id),
            name,
            written,
            members: Vec::new(),
            loaded: false,
        })
    }

    /// Goes on with another object, or without the album, where it is not said what memory keeps.
    async fn forget(&mut self, at: usize) -> Ended {
        match self.held[at]
            .id
            .filter(|id| self.rows.albums.contains_key(id))
        {
            Some(id) => self.held[at] = self.fresh(id).await?,
            None => drop(self.held.remove(at)),
        }
        Ok(())
    }

    /// After a rollback the objects stay, with what was set of them: those that were saved in it are new again, those that
    /// were destroyed live. What was read in it says what the rows were, and is read again.
    async fn settle(&mut self, before: Vec<Held>) -> Ended {
        let after = std::mem::take(&mut self.held);
        let is_known =
            |object: &Album, among: &[Held]| among.iter().any(|one| one.object.is(object));
        let mut read_again = Vec::new();
        for held in &before {
            // Destroyed in it, or its place was taken by another object.
            if !is_known(&held.object, &after)
                && held.id.is_some_and(|id| {
                    !after.iter().any(|one| {
                        one.id == Some(id)
                            && !one.object.is_new_record()
                            && one.object.is_persisted()
                    })
                })
            {
                read_again.push(held.object.clone());
            }
        }
        for mut held in after {
            if held.object.is_new_record() {
                held.id = None;
            } else if !is_known(&held.object, &before) {
                if held.id.is_some_and(|id| self.rows.albums.contains_key(&id)) {
                    read_again.push(held.object);
                }
                continue;
            }
            for member in &mut held.members {
                let row = member.id.and_then(|id| self.rows.tracks.get(&id));
                member.saved = row.map(|row| row.0.clone());
                member.id = member.id.filter(|_| row.is_some());
            }
            // What was destroyed in it stays out of the loaded collection until that is read again.
            let own = |(track, row): &(&i64, &(String, i64))| {
                Some(row.1) == held.id && !held.members.iter().any(|one| one.id == Some(**track))
            };
            let out = held.loaded && self.rows.tracks.iter().any(|row| own(&row));
            let known = before.iter().find(|one| one.object.is(&held.object));
            let known = known.map_or(&[][..], |one| &one.members);
            let read = held.members.iter().any(|member| {
                member.object.is_persisted()
                    && !known.iter().any(|one| one.object.is(&member.object))
            });
            if out || read {
                held.object.tracks().reset();
                held.members.clear();
                held.loaded = false;
            }
            self.held.push(held);
        }
        for object in read_again {
            object
                .reload()
                .await
                .map_err(|error| format!("{error:?}"))?;
            let id = object.id();
            self.held.push(Held {
                object,
                ..self.fresh(id).await?
            });
        }
        Ok(())
    }

    async fn one(&mut self, step: &Step) -> Ended {
        match step {
            Step::New(number) => {
                let name = name(*number);
                self.held.push(Held {
                    object: Album::build(self.db, |a| a.set_name(name)),
                    id: None,
                    name: name.to_owned(),
                    written: 0,
                    members: Vec::new(),
                    loaded: false,
                });
            }
            Step::Rename(album, number) => {
                if let Some(at) = self.chosen(*album) {
                    let held = &mut self.held[at];
                    held.name = name(*number).to_owned();
                    held.object.set_name(&held.name);
                }
            }
            Step::Give(album, values, saves) => {
                if let Some(at) = self.chosen(*album) {
                    return self.give(at, values, *saves).await;
                }
            }
            Step::Save(album) => {
                if let Some(at) = self.chosen(*album) {
                    let done = self.held[at].object.save().await;
                    return self.saved(at, done).await;
                }
            }
            Step::Read(album) => {
                if let Some(at) = self.chosen(*album) {
                    let read = self.held[at].object.tracks().await;
                    read.map_err(|error| format!("{error:?}"))?;
                    self.merge(at)?;
                }
            }
            Step::Reload(album) => {
                if let Some(at) = self.chosen(*album)
                    && let Some(id) = self.held[at].id
                {
                    let object = self.held[at].object.clone();
                    object
                        .reload()
                        .await
                        .map_err(|error| format!("{error:?}"))?;
                    self.held[at] = Held {
                        object,
                        ..self.fresh(id).await?
                    };
                }
            }
            Step::Load(album) => {
                if let Some(at) = self.chosen(*album)
                    && self.held[at].id.is_some()
                {
                    return self.forget(at).await;
                }
            }
            Step::Destroy(album) => {
                if let Some(at) = self.chosen(*album) {
                    return self.destroy(at).await;
                }
            }
            Step::Transaction(back, inner) => {
                let (db, before, held) = (self.db, self.rows.clone(), self.held.clone());
                let mut ended = Ok(());
                let done = db
                    .transaction(async || {
                        ended = self.all(inner).await;
                        if *back || ended.is_err() {
                            return Err(Error::new(ErrorKind::Rollback, "as asked"));
                        }
                        Ok(())
                    })
                    .await;
                ended?;
                if done.is_ok() == *back {
                    return Err(format!("{step:?} gave {done:?}"));
                }
                if *back {
                    self.rows = before;
                    self.settle(held).await?;
                }
            }
        }
        Ok(())
    }

    /// The rows of an album join what memory has.
    fn merge(&mut self, at: usize) -> Ended {
        let held = &mut self.held[at];
        let objects = held.object.tracks().target();
        let Some(id) = held.id.filter(|_| !held.loaded) else {
            held.loaded = true;
            return Ok(());
        };
        held.loaded = true;
        for (track, (text, _)) in self.rows.tracks.iter().filter(|(_, row)| row.1 == id) {
            if held.members.iter().any(|member| member.id == Some(*track)) {
                continue;
            }
            let object = objects.iter().find(|object| object.id() == *track);
            let object = object.ok_or_else(|| format!("track {track} was not read"))?;
            held.members.push(Member {
                object: object.clone(),
                id: Some(*track),
                text: text.clone(),
                saved: Some(text.clone()),
                marked: false,
            });
        }
        Ok(())
    }

    async fn give(&mut self, at: usize, values: &[Given], saves: bool) -> Ended {
        // Those that may be meant: the rows of the album.
        let id = self.held[at].id;
        let own = |row: &&(String, i64)| Some(row.1) == id;
        let tracks: Vec<i64> = self
            .rows
            .tracks
            .iter()
            .filter(|(_, row)| own(row))
            .map(|(track, _)| *track)
            .collect();
        let chosen = |number: usize| Some(tracks[number.checked_rem(tracks.len())?]);
        let params = values.iter().map(|one| match one {
            Given::New(number) => Params::new().with("text", text(*number)),
            Given::Gone => Params::new().with("text", "x").with("_destroy", "1"),
            Given::Change(number, word) => match chosen(*number) {
                Some(track) => Params::new().with("id", track).with("text", text(*word)),
                None => Params::new().with("text", text(*word)),
            },
            Given::Destroy(number) => match chosen(*number) {
                Some(track) => Params::new()
                    .with("id", track.to_string())
                    .with("_destroy", true),
                None => Params::new().with("_destroy", true),
            },
            Given::Unknown => Params::new().with("id", 999_999).with("text", "x"),
        });
        let params = Params::new().with("tracks_attributes", params.collect::<Vec<_>>());
        let object = self.held[at].object.clone();
        let done = match saves {
            true => object.update_from(&params, list()).await,
            false => object.assign(&params, list()).await,
        };
        let refused = if values.len() > 3 {
            Some(ErrorKind::TooManyRecords)
        } else if values.contains(&Given::Unknown) {
            Some(ErrorKind::RecordNotFound)
        } else {
            None
        };
        if let Some(kind) = refused {
            return match done {
                Err(error) if error.kind() == kind => Ok(()),
                done => Err(format!("{values:?} gave {done:?} and not {kind:?}")),
            };
        }
        // Before the members of memory are compared, those that came must be known.
        let objects = object.tracks().target();
        let mut built = Vec::new();
        let held = &mut self.held[at];
        for one in values {
            let (track, word) = match one {
                Given::New(word) => (None, Some(*word)),
                Given::Gone => continue,
                Given::Change(number, word) => (chosen(*number), Some(*word)),
                Given::Destroy(number) => match chosen(*number) {
                    Some(track) => (Some(track), None),
                    None => continue,
                },
                Given::Unknown => continue,
            };
            let Some(track) = track else {
                let text = word.map(text).unwrap_or_default();
                if !text.is_empty() {
                    built.push(text);
                }
                continue;
            };
            let known = held
                .members
                .iter()
                .position(|member| member.id == Some(track));
            let place = match known {
                Some(place) => place,
                None => {
                    let row = self.rows.tracks.get(&track).cloned().unwrap_or_default();
                    let object = objects.iter().find(|object| object.id() == track);
                    // One that a save has destroyed since is not there any more.
                    let object = object.cloned().unwrap_or_else(|| Track::new(self.db));
                    held.members.push(Member {
                        object,
                        id: Some(track),
                        text: row.0.clone(),
                        saved: Some(row.0),
                        marked: false,
                    });
                    held.members.len() - 1
                }
            };
            match word {
                Some(word) => held.members[place].text = text(word).to_owned(),
                None => held.members[place].marked = true,
            }
        }
        // New ones come behind, in their order.
        let seen = |object: &Track| held.members.iter().any(|member| member.object.is(object));
        let new: Vec<Track> = objects
            .iter()
            .filter(|object| !seen(object) && (object.is_new_record() || object.was_new_record()))
            .cloned()
            .collect();
        let done_anyhow = done.is_ok() && saves;
        if new.len() != built.len() && !done_anyhow {
            return Err(format!("{} new tracks and not {built:?}", new.len()));
        }
        for (object, text) in new.into_iter().zip(built) {
            held.members.push(Member {
                object,
                id: None,
                text: text.to_owned(),
                saved: None,
                marked: false,
            });
        }
        match saves {
            true => self.saved(at, done).await,
            false => done.map_err(|error| format!("{values:?} gave {error:?}")),
        }
    }

    /// What a save should have come to.
    async fn saved(&mut self, at: usize, done: Result<()>) -> Ended {
        let held = &mut self.held[at];
        let looked = |member: &&Member| member.is_changed() && !member.marked;
        let valid = !held.name.is_empty()
            && held.name.len() <= 3
            && held
                .members
                .iter()
                .filter(looked)
                .all(|one| !one.text.is_empty());
        if !valid {
            return match done {
                Err(error) if error.is_record_invalid() => Ok(()),
                done => Err(format!("a save of what is not valid gave {done:?}")),
            };
        }
        held.written += 1;
        let stays = |member: &Member| member.marked && member.text == "stay";
        let halts = |member: &Member| looked(&member) && member.text == "halt";
        if held
            .members
            .iter()
            .any(|member| stays(member) || halts(member))
        {
            return match done {
                Err(error) if error.is_record_invalid() || error.is_record_not_destroyed() => {
                    // Which of its parts were written before it ended is not what is asked here.
                    self.forget(at).await
                }
                done => Err(format!("a save that is halted gave {done:?}")),
            };
        }
        done.map_err(|error| format!("a save gave {error:?}"))?;
        let id = held.object.id();
        held.id = Some(id);
        let row = self.rows.albums.entry(id).or_default();
        (row.0, row.2) = (held.name.clone(), held.written);
        let mut left = Vec::new();
        for mut member in std::mem::take(&mut held.members) {
            if member.marked {
                if let Some(track) = member.id {
                    self.rows.tracks.remove(&track);
                    row.1 -= 1;
                }
                continue;
            }
            if member.id.is_none() {
                row.1 += 1;
            }
            let track = member.object.id();
            self.rows.tracks.insert(track, (member.text.clone(), id));
            member.id = Some(track);
            member.saved = Some(member.text.clone());
            left.push(member);
        }
        held.members = left;
        Ok(())
    }

    async fn destroy(&mut self, at: usize) -> Ended {
        let done = self.held[at].object.destroy().await;
        let held = &self.held[at];
        let id = held.id;
        let text = |track: &i64, row: &(String, i64)| {
            let known = held.members.iter().find(|member| member.id == Some(*track));
            known.map_or(row.0.clone(), |member| member.text.clone())
        };
        let own = |row: &(String, i64)| Some(row.1) == id;
        let mut rows = self.rows.tracks.iter().filter(|(_, row)| own(row));
        let stays = rows.any(|(track, row)| text(track, row) == "stay");
        let new = held.members.iter().filter(|member| member.id.is_none());
        let stays = stays || new.into_iter().any(|member| member.text == "stay");
        if stays {
            return match done {
                Err(error) if error.is_record_not_destroyed() => self.forget(at).await,
                done => Err(format!("a destroy that is halted gave {done:?}")),
            };
        }
        done.map_err(|error| format!("a destroy gave {error:?}"))?;
        self.rows.tracks.retain(|_, row| Some(row.1) != id);
        id.into_iter()
            .for_each(|id| drop(self.rows.albums.remove(&id)));
        self.held.remove(at);
        Ok(())
    }
}

/// What memory has of an album's tracks is what it should be, and each is the object that it was.
fn compare(held: &mut Held) -> Ended {
    let objects = held.object.tracks().target();
    let shown = |object: &Track| {
        let marked = object.is_marked_for_destruction();
        (
            object.to_key().map(|_| object.id()),
            object.text().to_owned(),
            marked,
        )
    };
    let mut found: Vec<_> = objects.iter().map(shown).collect();
    let members = held.members.iter();
    let mut expected: Vec<_> = members
        .map(|member| (member.id, member.text.clone(), member.marked))
        .collect();
    found.sort();
    expected.sort();
    if found != expected {
        return Err(format!(
            "the members are\n{found:?}\nand should be\n{expected:?}"
        ));
    }
    for member in &held.members {
        if !objects.iter().any(|object| object.is(&member.object)) {
            return Err(format!("{:?} is another object than before", member.object));
        }
    }
    if held.object.name() != held.name || held.object.written() != held.written {
        let (name, written) = (held.object.name(), held.object.written());
        return Err(format!(
            "the album is {name:?}, {written}, and should be {:?}, {}",
            held.name, held.written
        ));
    }
    Ok(())
}

async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([Album::reflection(), Track::reflection()])
        .await?;
    Ok(db)
}

fn run(db: &Db, program: &[Step]) -> Ended {
    crate::on(async {
        for text in ["DELETE FROM tracks", "DELETE FROM albums"] {
            db.execute_sql(Raw::new(text)).await?;
        }
        let mut run = Run {
            db,
            rows: Rows::default(),
            held: Vec::new(),
        };
        Ok(run.all(program).await)
    })
}

#[relata::test]
fn values_for_members_come_to_what_the_reference_says() {
    let db = crate::on(database());
    for seed in crate::seeds(300) {
        let mut random = Random::new(seed);
        let length = 4 + random.below(24);
        let program = steps(&mut random, length, 0);
        if run(&db, &program).is_err() {
            let program = shortest(program, |program| run(&db, program).is_err());
            let ended = run(&db, &program);
            panic!("seed {seed}: {program:#?}\n{}", ended.unwrap_err());
        }
    }
}
