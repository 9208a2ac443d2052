//! relata and toasty in one binary: both open SQLite in memory, toasty creates a table and a row in it.

#[derive(Debug, toasty::Model)]
struct Note {
    #[key]
    #[auto]
    id: u64,
    text: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut theirs = toasty::Db::builder()
        .models(toasty::models!(Note))
        .connect("sqlite::memory:")
        .await?;
    theirs.push_schema().await?;
    let note = toasty::create!(Note { text: "hello" })
        .exec(&mut theirs)
        .await?;
    println!("toasty: note {} says {}", note.id, note.text);
    ours().await?;
    Ok(())
}

/// relata's half.
async fn ours() -> relata::Result<()> {
    let db = relata::Db::connect("sqlite::memory:").await?;
    db.execute_sql(relata::Raw::new(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    ))
    .await?;
    let written = db
        .execute_sql(relata::Raw::new("INSERT INTO notes (text) VALUES (?)").bind("hello"))
        .await?;
    println!("relata: wrote {} note", written.affected);
    assert_eq!(written.affected, 1, "one row was written");
    Ok(())
}
