//! Houses and characters: what a declaration gives, and the SQL behind it.
//!
//! `cargo run -q --example thrones`

use relata::{Db, Record, Result, model};

/// A noble house.
#[model]
pub struct House {
    id: i64,
    name: String,
    words: Option<String>,
    #[has_many]
    characters: Character,
}

/// A member of a house. The father is a character too.
#[model]
pub struct Character {
    id: i64,
    #[validates(presence)]
    name: String,
    house_id: i64,
    father_id: Option<i64>,
    #[belongs_to]
    house: House,
    #[belongs_to]
    father: Option<Character>,
    #[has_many(foreign_key = father_id)]
    children: Character,
}

async fn database() -> Result<Db> {
    let db = Db::connect("sqlite::memory:").await?;
    db.create_tables([House::reflection(), Character::reflection()])
        .await?;
    let stark = House::create(&db, |h| {
        h.set_name("Stark").set_words(Some("Winter is coming"))
    })
    .await?;
    let lannister = House::create(&db, |h| h.set_name("Lannister")).await?;
    let eddard = stark.characters().create(|c| c.set_name("Eddard")).await?;
    for name in ["Robb", "Sansa", "Arya", "Bran"] {
        let child = stark
            .characters()
            .build(|c| c.set_name(name).set_father(&eddard));
        child.save().await?;
    }
    let tywin = lannister
        .characters()
        .create(|c| c.set_name("Tywin"))
        .await?;
    for name in ["Cersei", "Jaime", "Tyrion"] {
        lannister
            .characters()
            .create(|c| c.set_name(name).set_father(&tywin))
            .await?;
    }
    Ok(db)
}

/// What the declarations of a model gave, and the SQL that each runs for one record.
fn explain(record: &Record) -> Result<()> {
    let model = record.reflection();
    println!("{} (table `{}`)", model.name(), model.table());
    for (position, declared) in model.reflections().iter().enumerate() {
        let resolved = model.resolve(position)?;
        println!(
            "  {} :{} -> {}",
            declared.macro_kind().name(),
            declared.name(),
            resolved.target.name(),
        );
        println!(
            "    key      {} ({:?})",
            resolved.foreign_key(model).join(", "),
            resolved.key_reason,
        );
        println!(
            "    inverse  {} ({:?})",
            resolved
                .inverse_reflection()
                .map_or("none", |inverse| inverse.name()),
            resolved.inverse_reason,
        );
        println!("    methods  {}", declared.methods().join(", "));
        println!(
            "    SQL      {}",
            record.association(declared.name())?.to_sql()
        );
    }
    Ok(())
}

async fn tour() -> Result<()> {
    let db = database().await?;
    let arya = Character::all(&db)
        .find_by_or_fail(|c| c.name.eq("Arya"))
        .await?;

    println!("== What each declaration generated, and the SQL it runs");
    let house = House::find(&db, 1).await?;
    explain(&house)?;
    explain(&arya)?;

    println!("\n== A query: its paths join, and its SQL is there before it runs");
    let heirs = Character::all(&db)
        .filter(|c| c.house.name.eq("Stark").and(c.father.name.eq("Eddard")))
        .order(|c| c.name.asc());
    println!("{}", heirs.to_sql());
    println!("{:?}", heirs.pluck(|c| c.name).await?);

    println!("\n== Both ways, one object");
    let stark = arya.house().await?;
    println!(
        "{} of house {}: {:?}",
        arya.name(),
        stark.name(),
        stark.words()
    );
    let members = stark.characters().await?;
    let same = members[0].house().await?;
    println!(
        "{} characters; the first one's house is the same object: {}",
        members.len(),
        same.is(&stark)
    );

    println!("\n== Eager: one query for each association");
    let capture = db.capture();
    let houses = House::all(&db)
        .includes(|h| h.characters.father)
        .order(|h| h.id.asc())
        .await?;
    for house in &houses {
        for character in house.characters().await? {
            let father = character.father().await?;
            let father = father
                .as_ref()
                .map_or("nobody we know", |father| father.name());
            println!(
                "{:<9} {:<7} child of {father}",
                house.name(),
                character.name()
            );
        }
    }
    println!("{} queries", capture.count());

    println!(
        "\n== Lazy: a loop over {} records",
        Character::all(&db).count().await?
    );
    let capture = db.capture();
    for character in Character::all(&db).await? {
        let house = character.house().await?;
        print!("{} {}; ", character.name(), house.name());
    }
    println!("\n{} queries:", capture.count());
    for text in capture.texts() {
        println!("  {text}");
    }

    println!("\n== What is wrong is said");
    let nobody = Character::new(&db);
    if let Err(error) = nobody.save().await {
        println!("{error}");
    }
    Ok(())
}

fn main() -> Result<()> {
    relata::run(tour())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tour_runs() {
        relata::run(tour()).unwrap();
    }

    #[test]
    fn the_methods_that_the_tour_lists_are_there() {
        let methods = |model: &'static relata::reflection::ModelReflection, name: &str| {
            let association = model.reflect_on_association(name);
            association.unwrap().methods().join(" ")
        };
        let db = Db::detached();
        let (house, character) = (House::new(&db), Character::new(&db));
        let _ = (house.characters(), house.character_ids());
        assert_eq!(
            methods(House::reflection(), "characters"),
            "characters character_ids"
        );
        character.set_house(&house).build_house(|h| h);
        let _ = (
            character.house(),
            character.create_house(|h| h),
            character.reload_house(),
            character.house_changed(),
            character.house_previously_changed(),
        );
        character.reset_house();
        assert_eq!(
            methods(Character::reflection(), "house"),
            "house set_house build_house create_house reload_house reset_house house_changed house_previously_changed"
        );
    }

    #[test]
    fn a_loop_over_all_characters_runs_two_queries() {
        relata::run(async {
            let db = database().await?;
            relata::assert_queries!(db, 2, {
                for character in Character::all(&db).await? {
                    assert!(["Stark", "Lannister"].contains(&character.house().await?.name()));
                }
            });
            Ok(())
        })
        .unwrap();
    }
}
