//! What a save validates again, because it may have changed since it was found valid.

#![cfg(feature = "sqlite")]

use std::sync::Mutex;

use relata::{Db, Result, callbacks, model};

#[model]
pub struct Crate {
    id: i64,
    name: String,
    #[has_many(foreign_key = holder_id)]
    parts: Part,
}

#[model]
pub struct Part {
    id: i64,
    #[validates(presence)]
    name: String,
    holder_id: Option<i64>,
    #[belongs_to(inverse_of = parts)]
    holder: Option<Crate>,
    #[has_many]
    pins: Pin,
}

#[model]
pub struct Pin {
    id: i64,
    #[validates(presence)]
    name: String,
    #[validates(uniqueness)]
    serial: Option<String>,
    part_id: Option<i64>,
}

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn hear(what: &str, name: &str) {
    HEARD.lock().unwrap().push(format!("{what} {name}"));
}

#[callbacks]
impl Crate {
    /// What a function of the user does to records beyond its own.
    #[before_save]
    fn meddle(&self) {
        for part in self.parts().target() {
            match self.name() {
                "empties" => {
                    part.set_name("");
                }
                "adds" => {
                    part.pins().build(|pin| pin.set_name(""));
                }
                "below" => part.pins().target().iter().for_each(|pin| {
                    pin.set_name("");
                }),
                _ => {}
            }
        }
    }
}

#[callbacks]
impl Part {
    #[validate]
    fn look(&self) {
        hear("look at", self.name());
    }
}

async fn made(db: &Db, name: &str) -> Result<Crate> {
    let made = Crate::build(db, |it| it.set_name(name));
    let part = made.parts().build(|part| part.set_name("first"));
    part.pins().build(|pin| pin.set_name("pin"));
    Ok(made)
}

#[relata::test]
fn what_a_callback_changed_is_validated_again() {
    relata::run(async {
        let db = Db::connect("sqlite::memory:").await?;
        db.create_tables([Crate::reflection(), Part::reflection(), Pin::reflection()])
            .await?;
        for name in ["empties", "adds", "below"] {
            let made = made(&db, name).await?;
            let error = made.save().await.unwrap_err();
            assert!(error.is_record_invalid(), "{name}: {error}");
            assert!(made.is_new_record(), "{name}");
            assert_eq!(Crate::all(&db).count().await?, 0, "{name}");
        }
        HEARD.lock().unwrap().clear();
        made(&db, "leaves all alone").await?.save().await?;
        // With its owner, and before it is written.
        let heard = std::mem::take(&mut *HEARD.lock().unwrap());
        assert_eq!(heard, ["look at first", "look at first"]);
        Ok(())
    })
    .unwrap();
}

/// Both were found valid before one of them was written.
#[relata::test]
fn of_two_new_members_with_one_unique_value_the_second_is_refused() {
    relata::run(async {
        let db = Db::connect("sqlite::memory:").await?;
        db.create_tables([Crate::reflection(), Part::reflection(), Pin::reflection()])
            .await?;
        let made = Part::build(&db, |part| part.set_name("twins"));
        let build = |name| {
            made.pins()
                .build(|pin| pin.set_name(name).set_serial(Some("S1")))
        };
        let (one, two) = (build("one"), build("two"));
        let error = made.save().await.unwrap_err();
        assert!(error.is_record_invalid(), "{error}");
        assert!(one.errors().is_empty() && two.errors().of_kind("serial", "taken"));
        assert_eq!(Pin::all(&db).count().await?, 0);
        Ok(())
    })
    .unwrap();
}
