//! Programs over what runs by itself: validations, callbacks that halt or fail, dependents, counters, touch. The objects are
//! held from step to step, through what is refused and rolled back: what was set of them stays set, and goes with the next
//! save. After each step every row, and what each object says of it, is compared with what the plainest program says.

use std::collections::BTreeMap;

use relata::callback::Abort;
use relata::{Db, Error, ErrorKind, Raw, Result, callbacks, model};

use crate::program::{Nested, shortest};
use crate::random::Random;

/// Counts its pages, and hears of what happens to them.
#[model]
struct Binder {
    id: i64,
    #[validates(presence, length(max = 3))]
    name: String,
    #[column(default = 0)]
    pages_count: i64,
    updated_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Counted up by hooks: how often it was written.
    #[column(default = 0)]
    written: i64,
    #[has_many(dependent = restrict_with_error)]
    locks: Lock,
    #[has_many(dependent = destroy)]
    pages: Page,
    #[has_many(dependent = nullify)]
    tabs: Tab,
    #[has_many(dependent = delete_all)]
    scraps: Scrap,
}

#[callbacks]
impl Binder {
    #[before_save]
    fn count(&self) {
        self.set_written(self.written() + 1);
    }
}

/// Counted; some texts halt or fail.
#[model]
struct Page {
    id: i64,
    #[validates(presence)]
    text: String,
    binder_id: i64,
    #[belongs_to(counter_cache, touch)]
    binder: Binder,
}

#[callbacks]
impl Page {
    #[before_save]
    fn halt(&self) -> Result<(), Abort> {
        if self.text() == "halt" {
            Err(Abort)
        } else {
            Ok(())
        }
    }

    #[after_save]
    async fn fail(&self) -> Result<()> {
        if self.text() == "fail" {
            return Err(Error::new(ErrorKind::Other, "asked to fail"));
        }
        Ok(())
    }

    #[before_destroy]
    fn stay(&self) -> Result<(), Abort> {
        if self.text() == "stay" {
            Err(Abort)
        } else {
            Ok(())
        }
    }
}

/// Keeps its binder from being destroyed.
#[model]
struct Lock {
    id: i64,
    binder_id: i64,
    #[belongs_to]
    binder: Binder,
}

/// Stays without its binder.
#[model]
struct Tab {
    id: i64,
    binder_id: Option<i64>,
    #[belongs_to]
    binder: Option<Binder>,
}

/// Goes with its binder, unasked.
#[model]
struct Scrap {
    id: i64,
    binder_id: i64,
    #[belongs_to]
    binder: Binder,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Binder(u8),
    Page(usize, u8),
    Other(Other, usize),
    Rename(usize, u8),
    Text(usize, u8),
    Move(usize, usize),
    Destroy(usize),
    DestroyPage(usize),
    DestroyPages(usize),
    Unlock(usize),
    /// Saves a binder again that was refused, or whose transaction was rolled back, with another name.
    Again(usize, u8),
    ReloadBinder(usize),
    ReloadPage(usize),
    /// Steps inside, and whether all is rolled back at the end.
    Transaction(bool, Vec<Step>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Other {
    Lock,
    Tab,
    Scrap,
}

const NAMES: [&str; 4] = ["a", "b", "", "long"];
const TEXTS: [&str; 6] = ["x", "y", "", "halt", "fail", "stay"];

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

fn step(random: &mut Random, depth: usize) -> Step {
    let (one, two) = (random.below(30), random.below(30));
    let word = |random: &mut Random| u8::try_from(random.below(12)).unwrap_or_default();
    match random.below(28) {
        0..=2 => Step::Binder(word(random)),
        3..=8 => Step::Page(one, word(random)),
        9 => Step::Other(Other::Lock, one),
        10 => Step::Other(Other::Tab, one),
        11 => Step::Other(Other::Scrap, one),
        12 => Step::Rename(one, word(random)),
        13..=14 => Step::Text(one, word(random)),
        15..=16 => Step::Move(one, two),
        17..=18 => Step::Destroy(one),
        19 => Step::DestroyPage(one),
        20 => Step::DestroyPages(one),
        21 => Step::Unlock(one),
        22..=23 => Step::Again(one, word(random)),
        24 => Step::ReloadBinder(one),
        25 => Step::ReloadPage(one),
        _ if depth < 2 => {
            let (back, length) = (random.one_in(2), 1 + random.below(6));
            Step::Transaction(back, steps(random, length, depth + 1))
        }
        _ => Step::Page(one, 0),
    }
}

/// A binder's row: name, pages counted, time of the last change, times written.
type BinderRow = (String, i64, i64, i64);

/// What the rows should be.
#[derive(Debug, Clone, Default, PartialEq)]
struct Rows {
    binders: BTreeMap<i64, BinderRow>,
    pages: BTreeMap<i64, (String, i64)>,
    locks: Vec<i64>,
    tabs: Vec<Option<i64>>,
    scraps: Vec<i64>,
}

impl Rows {
    fn without_times(mut self) -> Self {
        self.binders.values_mut().for_each(|row| row.2 = 0);
        self
    }

    fn touch(&mut self, binder: i64, now: i64) {
        if let Some(row) = self.binders.get_mut(&binder) {
            row.2 = now;
        }
    }

    fn count(&mut self, binder: i64, by: i64) {
        if let Some(row) = self.binders.get_mut(&binder) {
            row.1 += by;
        }
    }

    /// Saves a page, or says that it is refused.
    fn save_page(&mut self, id: i64, text: &str, binder: i64, now: i64) -> bool {
        if !is_savable(text) {
            return false;
        }
        let new = (text.to_owned(), binder);
        let old = self.pages.insert(id, new.clone());
        match old {
            Some(old) if old == new => {}
            old => {
                let was = old.map(|(_, binder)| binder);
                if was != Some(binder) {
                    self.count(binder, 1);
                    was.into_iter().for_each(|was| {
                        self.count(was, -1);
                        self.touch(was, now);
                    });
                }
                self.touch(binder, now);
            }
        }
        true
    }

    fn remove_page(&mut self, id: i64, now: i64) {
        if let Some((_, binder)) = self.pages.remove(&id) {
            self.count(binder, -1);
            self.touch(binder, now);
        }
    }

    fn destroy_page(&mut self, id: i64, now: i64) -> bool {
        match self.pages.get(&id) {
            Some((text, _)) if text == "stay" => false,
            _ => {
                self.remove_page(id, now);
                true
            }
        }
    }

    fn destroy_binder(&mut self, id: i64) -> bool {
        let stays = |(text, binder): &(String, i64)| *binder == id && text == "stay";
        if self.locks.contains(&id) || self.pages.values().any(stays) {
            return false;
        }
        self.pages.retain(|_, (_, binder)| *binder != id);
        self.scraps.retain(|binder| *binder != id);
        for tab in &mut self.tabs {
            *tab = tab.filter(|binder| *binder != id);
        }
        self.binders.remove(&id);
        true
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 3
}

/// A binder in memory, as it should be.
#[derive(Clone)]
struct HeldBinder {
    object: Binder,
    name: String,
    written: i64,
}

impl HeldBinder {
    /// The time of change that a save writes: one that is set and not saved stays.
    fn time(&self, now: i64) -> i64 {
        let (time, was) = (self.object.updated_at(), self.object.updated_at_was());
        match time {
            Some(time) if self.object.is_new_record() || Some(time) != was => {
                time.timestamp_micros()
            }
            _ => now,
        }
    }

    /// What others did to its members was not told to it.
    fn reset(&self) {
        self.object.pages().reset();
        self.object.locks().reset();
        self.object.tabs().reset();
        self.object.scraps().reset();
    }
}

/// A page in memory, as it should be.
#[derive(Clone)]
struct HeldPage {
    object: Page,
    text: String,
    binder: i64,
}

fn is_savable(text: &str) -> bool {
    !["", "halt", "fail"].contains(&text)
}

async fn stored(db: &Db) -> Result<Rows> {
    let mut rows = Rows::default();
    for one in Binder::all(db).await? {
        let time = one.updated_at().map_or(-1, |time| time.timestamp_micros());
        let row = (
            one.name().to_owned(),
            one.pages_count(),
            time,
            one.written(),
        );
        rows.binders.insert(one.id(), row);
    }
    for one in Page::all(db).await? {
        rows.pages
            .insert(one.id(), (one.text().to_owned(), one.binder_id()));
    }
    rows.locks = Lock::all(db).order(|l| l.id).pluck(|l| l.binder_id).await?;
    rows.tabs = Tab::all(db).order(|t| t.id).pluck(|t| t.binder_id).await?;
    rows.scraps = Scrap::all(db)
        .order(|s| s.id)
        .pluck(|s| s.binder_id)
        .await?;
    Ok(rows)
}

/// The one that a number chooses.
fn chosen(ids: impl Iterator<Item = i64>, number: usize) -> Option<i64> {
    let ids: Vec<i64> = ids.collect();
    let at = number.checked_rem(ids.len())?;
    ids.get(at).copied()
}

/// What ended a program: a difference.
type Ended = std::result::Result<(), String>;

struct Run<'a> {
    db: &'a Db,
    rows: Rows,
    /// The time, a step each.
    now: i64,
    binders: BTreeMap<i64, HeldBinder>,
    pages: BTreeMap<i64, HeldPage>,
    /// Those whose key another row has got since.
    replaced: Vec<HeldBinder>,
    replaced_pages: Vec<HeldPage>,
    /// Those without a row, which may be saved again.
    lost: Vec<HeldBinder>,
}

impl Run<'_> {
    async fn all(&mut self, steps: &[Step]) -> Ended {
        for step in steps {
            let inside = self.db.in_transaction();
            // What is touched in a transaction is written when it commits: it has one time.
            if !inside {
                self.now += 1;
                self.db.stop_clock_at(self.now);
            }
            Box::pin(self.one(step)).await?;
            let stored = stored(self.db)
                .await
                .map_err(|error| format!("{error:?}"))?;
            let same = match inside {
                true => stored.clone().without_times() == self.rows.clone().without_times(),
                false => stored == self.rows,
            };
            if !same {
                return Err(format!(
                    "after {step:?} the rows are\n{stored:?}\nand should be\n{:?}",
                    self.rows
                ));
            }
            self.compare()
                .map_err(|told| format!("after {step:?} {told}"))?;
        }
        Ok(())
    }

    /// What each object says is what it should say.
    fn compare(&self) -> Ended {
        for (id, held) in &self.binders {
            let Some((name, _, _, written)) = self.rows.binders.get(id) else {
                continue;
            };
            let object = &held.object;
            let found = (
                (object.name(), object.name_was()),
                (object.written(), object.written_was()),
                object.is_persisted(),
            );
            let wanted = ((&*held.name, &**name), (held.written, *written), true);
            if found != wanted {
                return Err(format!("binder {id} is {found:?} and should be {wanted:?}"));
            }
        }
        for (id, held) in &self.pages {
            let Some((text, binder)) = self.rows.pages.get(id) else {
                continue;
            };
            let object = &held.object;
            let found = (
                (object.text(), object.text_was()),
                (object.binder_id(), object.binder_id_was()),
                object.is_persisted(),
            );
            let wanted = ((&*held.text, &**text), (held.binder, *binder), true);
            if found != wanted {
                return Err(format!("page {id} is {found:?} and should be {wanted:?}"));
            }
        }
        for held in &self.lost {
            let object = &held.object;
            let found = (object.is_new_record(), object.name(), object.written());
            let wanted = (true, &*held.name, held.written);
            if found != wanted || object.to_key().is_some() {
                return Err(format!(
                    "what is lost is {object:?} and should be {wanted:?}"
                ));
            }
        }
        Ok(())
    }

    /// The object that stands for a row.
    async fn held(&mut self, id: i64) -> Result<HeldBinder> {
        if let Some(held) = self.binders.get(&id) {
            return Ok(held.clone());
        }
        let object = Binder::find(self.db, id).await?;
        let held = HeldBinder {
            name: object.name().to_owned(),
            written: object.written(),
            object,
        };
        self.binders.insert(id, held.clone());
        Ok(held)
    }

    async fn held_page(&mut self, id: i64) -> Result<HeldPage> {
        if let Some(held) = self.pages.get(&id) {
            return Ok(held.clone());
        }
        let object = Page::find(self.db, id).await?;
        let held = HeldPage {
            text: object.text().to_owned(),
            binder: object.binder_id(),
            object,
        };
        self.pages.insert(id, held.clone());
        Ok(held)
    }

    async fn reload_page(&mut self, id: i64) -> Result<()> {
        let mut held = self.held_page(id).await?;
        held.object.reload().await?;
        if let Some((text, binder)) = self.rows.pages.get(&id) {
            (held.text, held.binder) = (text.clone(), *binder);
        }
        self.pages.insert(id, held);
        Ok(())
    }

    fn hold(&mut self, id: i64, held: HeldBinder) {
        self.replaced.extend(self.binders.insert(id, held));
    }

    /// After a rollback the objects stay: those whose rows are there again, and those that are new again.
    async fn settle(&mut self) -> Result<()> {
        let all = std::mem::take(&mut self.binders).into_values();
        for held in all.chain(std::mem::take(&mut self.replaced)) {
            held.reset();
            if held.object.is_new_record() {
                self.lost.push(held);
            } else if held.object.is_persisted()
                && self.rows.binders.contains_key(&held.object.id())
            {
                self.hold(held.object.id(), held);
            } else {
                self.replaced.push(held);
            }
        }
        let all = std::mem::take(&mut self.pages).into_values();
        for held in all.chain(std::mem::take(&mut self.replaced_pages)) {
            let id = held.object.id();
            if held.object.is_persisted() && self.rows.pages.contains_key(&id) {
                self.replaced_pages.extend(self.pages.insert(id, held));
            } else if !held.object.is_new_record() {
                self.replaced_pages.push(held);
            }
        }
        // One that was moved to a binder which has no row any more would save that.
        let homeless = |held: &&HeldPage| !self.rows.binders.contains_key(&held.binder);
        let homeless: Vec<i64> = self
            .pages
            .values()
            .filter(homeless)
            .map(|held| held.object.id())
            .collect();
        for id in homeless {
            self.reload_page(id).await?;
        }
        Ok(())
    }

    fn binder(&self, number: usize) -> Option<i64> {
        chosen(self.rows.binders.keys().copied(), number)
    }

    fn page(&self, number: usize) -> Option<i64> {
        chosen(self.rows.pages.keys().copied(), number)
    }

    /// Whether it went as it should.
    fn agree(&self, step: &Step, done: &Result<()>, expected: bool) -> Ended {
        if done.is_ok() == expected {
            return Ok(());
        }
        Err(format!(
            "{step:?} gave {done:?}, and success was {expected}"
        ))
    }

    /// What saving a page should have come to.
    fn save_page(&mut self, step: &Step, id: i64, held: HeldPage, done: &Result<()>) -> Ended {
        let there = self.rows.binders.contains_key(&held.binder);
        self.agree(step, done, is_savable(&held.text) && there)?;
        if there {
            let now = self.now;
            self.rows.save_page(id, &held.text, held.binder, now);
        }
        self.pages.insert(id, held);
        Ok(())
    }

    async fn one(&mut self, step: &Step) -> Ended {
        let (db, now) = (self.db, self.now);
        let found = |error: Error| format!("{step:?}: {error:?}");
        match step {
            Step::Binder(name) => {
                let name = NAMES[usize::from(*name) % NAMES.len()].to_owned();
                let object = Binder::build(db, |b| b.set_name(&name));
                let done = object.save().await;
                let expected = is_name(&name);
                self.agree(step, &done, expected)?;
                let written = i64::from(expected);
                if expected {
                    self.rows
                        .binders
                        .insert(object.id(), (name.clone(), 0, now, 1));
                    let id = object.id();
                    self.hold(
                        id,
                        HeldBinder {
                            object,
                            name,
                            written,
                        },
                    );
                } else {
                    self.lost.push(HeldBinder {
                        object,
                        name,
                        written,
                    });
                }
            }
            Step::Again(number, name) => {
                let Some(at) = number.checked_rem(self.lost.len()) else {
                    return Ok(());
                };
                let mut held = self.lost.remove(at);
                held.name = NAMES[usize::from(*name) % NAMES.len()].to_owned();
                let time = held.time(now);
                let done = held.object.update(|b| b.set_name(&held.name)).await;
                let expected = is_name(&held.name);
                self.agree(step, &done, expected)?;
                if expected {
                    held.written += 1;
                    let (id, row) = (held.object.id(), (held.name.clone(), 0, time, held.written));
                    self.rows.binders.insert(id, row);
                    self.hold(id, held);
                } else {
                    self.lost.push(held);
                }
            }
            Step::ReloadBinder(binder) => {
                let Some(id) = self.binder(*binder) else {
                    return Ok(());
                };
                let mut held = self.held(id).await.map_err(found)?;
                held.object.reload().await.map_err(found)?;
                if let Some(row) = self.rows.binders.get(&id) {
                    (held.name, held.written) = (row.0.clone(), row.3);
                }
                self.binders.insert(id, held);
            }
            Step::ReloadPage(page) => {
                if let Some(id) = self.page(*page) {
                    self.reload_page(id).await.map_err(found)?;
                }
            }
            Step::Page(binder, text) => {
                let Some(binder) = self.binder(*binder) else {
                    return Ok(());
                };
                let text = TEXTS[usize::from(*text) % TEXTS.len()];
                let owner = self.held(binder).await.map_err(found)?.object;
                let object = Page::build(db, |p| p.set_text(text).set_binder(&owner));
                let done = object.save().await;
                self.agree(step, &done, is_savable(text))?;
                if done.is_ok() {
                    let id = object.id();
                    self.rows.save_page(id, text, binder, now);
                    let text = text.to_owned();
                    let held = HeldPage {
                        object,
                        text,
                        binder,
                    };
                    self.replaced_pages.extend(self.pages.insert(id, held));
                }
            }
            Step::Other(other, binder) => {
                let Some(binder) = self.binder(*binder) else {
                    return Ok(());
                };
                match other {
                    Other::Lock => {
                        let made = Lock::create(db, |l| l.set_binder_id(binder)).await;
                        made.map_err(found)?;
                        self.rows.locks.push(binder);
                    }
                    Other::Tab => {
                        let made = Tab::create(db, |t| t.set_binder_id(Some(binder))).await;
                        made.map_err(found)?;
                        self.rows.tabs.push(Some(binder));
                    }
                    Other::Scrap => {
                        let made = Scrap::create(db, |s| s.set_binder_id(binder)).await;
                        made.map_err(found)?;
                        self.rows.scraps.push(binder);
                    }
                }
            }
            Step::Rename(binder, name) => {
                let Some(id) = self.binder(*binder) else {
                    return Ok(());
                };
                let mut held = self.held(id).await.map_err(found)?;
                held.name = NAMES[usize::from(*name) % NAMES.len()].to_owned();
                let time = held.time(now);
                let done = held.object.update(|b| b.set_name(&held.name)).await;
                let expected = is_name(&held.name);
                self.agree(step, &done, expected)?;
                held.written += i64::from(expected);
                if let (true, Some(row)) = (expected, self.rows.binders.get_mut(&id)) {
                    *row = (held.name.clone(), row.1, time, held.written);
                }
                self.binders.insert(id, held);
            }
            Step::Text(page, text) => {
                let Some(id) = self.page(*page) else {
                    return Ok(());
                };
                let mut held = self.held_page(id).await.map_err(found)?;
                held.text = TEXTS[usize::from(*text) % TEXTS.len()].to_owned();
                let done = held.object.update(|p| p.set_text(&held.text)).await;
                self.save_page(step, id, held, &done)?;
            }
            Step::Move(page, binder) => {
                let (Some(id), Some(binder)) = (self.page(*page), self.binder(*binder)) else {
                    return Ok(());
                };
                let mut held = self.held_page(id).await.map_err(found)?;
                let to = self.held(binder).await.map_err(found)?.object;
                held.binder = binder;
                let done = held.object.update(|p| p.set_binder(&to)).await;
                self.save_page(step, id, held, &done)?;
            }
            Step::Destroy(binder) => {
                let Some(id) = self.binder(*binder) else {
                    return Ok(());
                };
                let held = self.held(id).await.map_err(found)?;
                held.reset();
                let done = held.object.destroy().await;
                let expected = self.rows.destroy_binder(id);
                held.reset();
                self.agree(step, &done, expected)?;
            }
            Step::DestroyPage(page) => {
                let Some(id) = self.page(*page) else {
                    return Ok(());
                };
                let binder = self.rows.pages.get(&id).map(|row| row.1);
                let mut held = self.held_page(id).await.map_err(found)?;
                if Some(held.binder) != binder {
                    // Which of both binders loses it is not what is asked here.
                    self.reload_page(id).await.map_err(found)?;
                    held = self.held_page(id).await.map_err(found)?;
                }
                let done = held.object.destroy().await;
                // Its callback sees what is set.
                let expected = held.text != "stay";
                self.agree(step, &done, expected)?;
                if expected {
                    self.rows.remove_page(id, now);
                }
            }
            Step::DestroyPages(binder) => {
                let Some(id) = self.binder(*binder) else {
                    return Ok(());
                };
                let pages = Page::all(db).filter(|p| p.binder_id.eq(id));
                let done = pages.destroy_all().await.map(drop);
                let of = |(_, (_, binder)): &(&i64, &(String, i64))| *binder == id;
                let ids: Vec<i64> = self
                    .rows
                    .pages
                    .iter()
                    .filter(of)
                    .map(|(id, _)| *id)
                    .collect();
                let before = self.rows.clone();
                let expected = ids.iter().all(|id| self.rows.destroy_page(*id, now));
                if !expected {
                    self.rows = before;
                }
                self.agree(step, &done, expected)?;
            }
            Step::Unlock(binder) => {
                let Some(id) = self.binder(*binder) else {
                    return Ok(());
                };
                let locks = Lock::all(db).filter(|l| l.binder_id.eq(id));
                locks.delete_all().await.map_err(found)?;
                self.rows.locks.retain(|binder| *binder != id);
            }
            Step::Transaction(back, inner) => {
                let before = self.rows.clone();
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
                if *back {
                    self.rows = before;
                    self.settle().await.map_err(found)?;
                }
                self.agree(step, &done, !back)?;
            }
        }
        Ok(())
    }
}

async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([
        Binder::reflection(),
        Page::reflection(),
        Lock::reflection(),
        Tab::reflection(),
        Scrap::reflection(),
    ])
    .await?;
    Ok(db)
}

fn run(db: &Db, program: &[Step]) -> Ended {
    crate::on(async {
        for text in [
            "DELETE FROM pages",
            "DELETE FROM locks",
            "DELETE FROM tabs",
            "DELETE FROM scraps",
            "DELETE FROM binders",
        ] {
            db.execute_sql(Raw::new(text)).await?;
        }
        let mut run = Run {
            db,
            rows: Rows::default(),
            now: 0,
            binders: BTreeMap::new(),
            pages: BTreeMap::new(),
            replaced: Vec::new(),
            replaced_pages: Vec::new(),
            lost: Vec::new(),
        };
        Ok(run.all(program).await)
    })
}

#[relata::test]
fn what_runs_by_itself_does_what_the_reference_does() {
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
