//! Houses and characters: what a declaration gives, and the SQL behind it.
//!
//! `cargo run -q --example thrones`

use relata::{Db, Result, model};

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

/// What the declarations gave, as the reflections say.
fn explain(model: &'static relata::reflection::ModelReflection) -> Result<()> {
    println!("{} (table `{}`)", model.name(), model.table());
    for (position, association) in model.reflections().iter().enumerate() {
        let resolved = model.resolve(position)?;
        println!(
            "  {} {} -> {}: key {:?} ({:?}), inverse {} ({:?})",
            association.macro_kind().name(),
            association.name(),
            resolved.target.name(),
            resolved.foreign_key(model),
            resolved.key_reason,
            resolved
                .inverse_reflection()
                .map_or("none", |inverse| inverse.name()),
            resolved.inverse_reason,
        );
    }
    Ok(())
}

async fn tour() -> Result<()> {
    let db = database().await?;

    println!("== What each declaration generated");
    explain(House::reflection())?;
    explain(Character::reflection())?;

    println!("\n== The SQL, before anything runs");
    let arya = Character::all(&db)
        .find_by_or_fail(|c| c.name.eq("Arya"))
        .await?;
    println!("arya.house()       {}", arya.house().to_sql());
    println!("arya.children()    {}", arya.children().to_sql());
    let heirs = Character::all(&db)
        .filter(|c| c.house.name.eq("Stark").and(c.father.name.eq("Eddard")))
        .order(|c| c.name.asc());
    println!("heirs              {}", heirs.to_sql());

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
