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
    let mut theirs = toasty::Db::builder().models(toasty::models!(Note)).connect("sqlite::memory:").await?;
    theirs.push_schema().await?;
    let note = toasty::create!(Note { text: "hello" }).exec(&mut theirs).await?;
    println!("toasty: note {} says {}", note.id, note.text);
    ours()?;
    Ok(())
}

/// relata's half.
fn ours() -> relata::Result<()> {
    println!("relata: {}", std::any::type_name::<relata::Error>());
    Ok(())
}
