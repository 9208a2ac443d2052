//! A function that validates takes the value, and says what is wrong with it.

use relata::model;

#[model]
pub struct Book {
    id: i64,
    #[validates(custom = is_isbn)]
    isbn: String,
    #[validates(custom = has_title)]
    title: String,
    #[validates(custom = is_whole)]
    pages: i64,
    #[validates(custom = is_whole())]
    words: i64,
}

fn is_isbn(isbn: &str) -> bool {
    isbn.len() == 13
}

fn has_title(book: &Book) -> Result<(), String> {
    drop(book.title());
    Ok(())
}

fn is_whole() -> Result<(), String> {
    Ok(())
}

fn main() {}
