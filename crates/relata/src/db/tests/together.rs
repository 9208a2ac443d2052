//! Associations of the same records are asked for together where a connection pipelines, and come to the same.

use super::pipelined::{Seen, seen};
use relata::{Db, Error, ErrorKind, Polymorphic, Raw, Result, model};

/// Who writes.
#[model]
pub struct Writer {
    id: i64,
    name: String,
    #[has_many]
    articles: Article,
}

/// What is written.
#[model]
pub struct Article {
    id: i64,
    title: String,
    writer_id: i64,
    #[belongs_to]
    writer: Writer,
    #[has_many]
    notes: Note,
    #[has_many]
    markings: Marking,
    #[has_many(through = markings)]
    marks: Mark,
    #[has_many(as = subject)]
    remarks: Remark,
}

/// What is said of an article.
#[model]
pub struct Note {
    id: i64,
    text: String,
    article_id: i64,
    #[belongs_to]
    article: Article,
}

/// A mark on an article.
#[model]
pub struct Marking {
    id: i64,
    article_id: i64,
    mark_id: i64,
    #[belongs_to]
    article: Article,
    #[belongs_to]
    mark: Mark,
}

/// What articles are marked with.
#[model]
pub struct Mark {
    id: i64,
    name: String,
}

/// What a remark is about.
#[derive(Polymorphic)]
pub enum Subject {
    /// An article.
    Article(Article),
    /// Its writer.
    Writer(Writer),
}

/// A remark about anything.
#[model]
pub struct Remark {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: Subject,
}

async fn articles(url: &str) -> Result<Db> {
    let db = Db::connect(url).await?;
    let models = [
        Writer::reflection(),
        Article::reflection(),
        Note::reflection(),
        Marking::reflection(),
        Mark::reflection(),
        Remark::reflection(),
    ];
    db.create_tables(models).await?;
    for name in ["Ann", "Bob"] {
        let writer = Writer::create(&db, |w| w.set_name(name)).await?;
        let mark = Mark::create(&db, |m| m.set_name(name)).await?;
        let article = Article::create(&db, |a| a.set_title(name).set_writer(&writer)).await?;
        article.notes().create(|n| n.set_text("so")).await?;
        article.marks().push(&mark).await?;
        article.remarks().create(|r| r).await?;
        Remark::create(&db, |r| r.set_subject(&writer)).await?;
    }
    seen();
    Ok(db)
}

/// The tables that statements were sent to and answered from, in that order.
fn tables(seen: &[Seen]) -> Vec<String> {
    let table = |text: &str| {
        let from = text.split("FROM \"").nth(1);
        let name = from.and_then(|from| from.split('"').next());
        name.unwrap_or("nothing").to_owned()
    };
    let of = |seen: &Seen| match seen {
        Seen::Connection => "connection".to_owned(),
        Seen::Sent(text) => format!("{} sent", table(text)),
        Seen::Answered(text) => format!("{} answered", table(text)),
        Seen::Alone(text) => format!("{} alone", table(text)),
    };
    seen.iter().map(of).collect()
}

#[relata::test]
fn siblings_are_sent_before_the_first_of_them_is_answered() -> Result<()> {
    relata::run(async {
        let db = articles("pipelined::memory:").await?;
        assert!(db.capabilities().unwrap().pipelines);
        let read = Article::all(&db)
            .includes(|a| (a.writer, a.notes, a.markings))
            .await?;
        let wanted = [
            "articles alone",
            "connection",
            "writers sent",
            "notes sent",
            "markings sent",
            "writers answered",
            "notes answered",
            "markings answered",
        ];
        assert_eq!(tables(&seen()), wanted);
        relata::assert_queries!(db, 0, {
            for article in &read {
                assert_eq!(article.writer().await?.name(), article.title());
                let notes = article.notes().await?;
                assert!(notes[0].article().await?.is(article));
                assert_eq!(article.markings().await?.len(), 1);
            }
        });
        assert_eq!((db.figures().writers, db.figures().readers), (0, 0));
        Ok(())
    })
}

#[relata::test]
fn inside_a_transaction_they_go_over_its_connection() -> Result<()> {
    relata::run(async {
        let db = articles("pipelined::memory:").await?;
        db.transaction(async || {
            Note::all(&db).update_all(|n| n.text.set("new")).await?;
            seen();
            let read = Article::all(&db).includes(|a| (a.writer, a.notes)).await?;
            let wanted = [
                "articles sent",
                "articles answered",
                "writers sent",
                "notes sent",
                "writers answered",
                "notes answered",
            ];
            assert_eq!(tables(&seen()), wanted);
            assert_eq!(read[0].notes().await?[0].text(), "new");
            Ok(())
        })
        .await
    })
}

#[relata::test]
fn what_hangs_off_them_follows_and_what_goes_over_another_waits_for_it() -> Result<()> {
    relata::run(async {
        let db = articles("pipelined::memory:").await?;
        let read = Article::all(&db)
            .includes(|a| (a.markings, a.notes, a.marks, a.writer.articles))
            .await?;
        let wanted = [
            "articles alone",
            "connection",
            "markings sent",
            "notes sent",
            "markings answered",
            "notes answered",
            "connection",
            "marks sent",
            "writers sent",
            "marks answered",
            "writers answered",
            "articles alone",
        ];
        assert_eq!(tables(&seen()), wanted);
        let marking = &read[0].markings().await?[0];
        assert!(read[0].marks().await?[0].is(&marking.mark().await?));
        Ok(())
    })
}

#[relata::test]
fn the_classes_of_a_polymorphic_association_are_asked_for_together() -> Result<()> {
    relata::run(async {
        let db = articles("pipelined::memory:").await?;
        let read = Remark::all(&db).includes(|r| r.subject).await?;
        let wanted = [
            "remarks alone",
            "connection",
            "articles sent",
            "writers sent",
            "articles answered",
            "writers answered",
        ];
        assert_eq!(tables(&seen()), wanted);
        relata::assert_queries!(db, 0, {
            let mut names = Vec::new();
            for remark in &read {
                match remark.subject().await? {
                    Subject::Article(article) => names.push(article.title().to_owned()),
                    Subject::Writer(writer) => names.push(writer.name().to_owned()),
                }
            }
            assert_eq!(names, ["Ann", "Ann", "Bob", "Bob"]);
        });
        Ok(())
    })
}

#[relata::test]
fn a_failure_is_that_of_the_first_that_failed_and_leaves_no_connection_behind() -> Result<()> {
    relata::run(async {
        let db = articles("pipelined::memory:").await?;
        db.execute_sql(Raw::new("DROP TABLE notes")).await?;
        db.execute_sql(Raw::new("DROP TABLE markings")).await?;
        let read = Article::all(&db).includes(|a| (a.writer, a.notes, a.markings));
        let error: Error = read.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StatementInvalid);
        assert!(error.to_string().contains("notes"), "{error}");
        assert_eq!(db.figures().writers, 0);
        assert_eq!(Article::all(&db).includes(|a| a.writer).await?.len(), 2);
        Ok(())
    })
}

#[relata::test]
fn a_read_that_is_given_up_gives_the_connection_back() -> Result<()> {
    relata::run(async {
        let db = articles("pipelined::memory:").await?;
        {
            let read = Article::all(&db).includes(|a| (a.writer, a.notes));
            let mut read = std::pin::pin!(std::future::IntoFuture::into_future(read));
            std::future::poll_fn(|context| {
                assert!(read.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
        }
        assert_eq!(tables(&seen()).last().unwrap(), "notes sent");
        assert_eq!(db.figures().writers, 0);
        assert_eq!(Article::all(&db).count().await?, 2);
        Ok(())
    })
}

#[relata::test]
fn a_connection_that_answers_on_the_call_is_asked_one_by_one() -> Result<()> {
    relata::run(async {
        let db = articles("sqlite::memory:").await?;
        assert!(!db.capabilities().unwrap().pipelines);
        let capture = db.capture();
        let read = Article::all(&db)
            .includes(|a| (a.markings, a.notes, a.marks, a.writer.articles))
            .await?;
        assert_eq!((read.len(), capture.count()), (2, 6));
        Ok(())
    })
}
