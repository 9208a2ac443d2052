//! The same selects, inserts and lists with a second dialect: what one overrides is all that it has to say.

use std::sync::OnceLock;

use super::{Dialect, Like, Lists, Rules, STANDARD};
use crate::attribute::AttributeType;
use crate::attribute::value::{Kind, Value};
use crate::error::Result;
use crate::reflection::{AssociationReflection, Column, ModelBuilder, ModelReflection, Target};
use crate::sql::expr::{Comparison, Node};
use crate::sql::{Expr, Lock, Place, Raw, Select, Writer, schema, statements};

/// A database with numbered placeholders, other quotes, arrays and keys that are asked for. It exists only here.
static OTHER: Rules = Rules {
    name: "Other",
    quote: '`',
    placeholder: |number, out| {
        out.push('$');
        out.push_str(&number.to_string());
    },
    lists: Some(Lists {
        longer_than: 0,
        within: |_| (" = ANY(", ")"),
        without: |_| (" <> ALL(", ")"),
        rank: None,
        value: |values| {
            let words: Option<Vec<String>> = values
                .iter()
                .map(|value| match value {
                    Value::Int(number) => Some(number.to_string()),
                    _ => None,
                })
                .collect();
            Some(Value::Text(format!("{{{}}}", words?.join(",")).into()))
        },
    }),
    returns_key: true,
    like_ignoring_case: Like {
        operator: " ILIKE ",
        ..STANDARD.like
    },
    ..STANDARD
};

const BOTH: [Dialect; 2] = [Dialect::SQLITE, Dialect(&OTHER)];

fn model() -> &'static ModelReflection {
    static MODEL: OnceLock<&'static ModelReflection> = OnceLock::new();
    MODEL.get_or_init(|| {
        ModelBuilder::new("Star", "stars")
            .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
            .column(Column::new(
                "name`\"",
                AttributeType::plain(Kind::Text, true),
            ))
            .column(Column::new("seen", AttributeType::plain(Kind::Bool, true)))
            .primary_key(["id"])
            .define()
            .unwrap()
    })
}

fn written(change: impl Fn(&mut Select)) -> Result<[(String, Vec<Value<'static>>); 2]> {
    let mut select = Select::of(model());
    change(&mut select);
    let write = |dialect| {
        let mut writer = Writer::new(dialect);
        writer.select(&select)?;
        Ok(writer.finish())
    };
    Ok([write(BOTH[0])?, write(BOTH[1])?])
}

fn column(at: usize) -> Box<Node> {
    Box::new(Node::Column(Place::root(model()), at))
}

#[test]
fn quotes_placeholders_limits_and_locks() -> Result<()> {
    let both = written(|select| {
        select.filter(Expr(Node::Compare(
            Comparison::Equal,
            column(1),
            Box::new(Node::Value(Value::Text("Vega".into()))),
        )));
        select.filter(Expr(Node::Between(column(0), Value::Int(1), Value::Int(9))));
        select.offset = Some(2);
        select.lock = Some(Lock::ForUpdate);
    })?;
    assert_eq!(
        both.each_ref().map(|(text, _)| text.as_str()),
        [
            "SELECT \"stars\".* FROM \"stars\" WHERE \"stars\".\"name`\"\"\" = ? AND \"stars\".\"id\" BETWEEN ? AND ? LIMIT -1 OFFSET 2",
            "SELECT `stars`.* FROM `stars` WHERE `stars`.`name``\"` = $1 AND `stars`.`id` BETWEEN $2 AND $3 LIMIT ALL OFFSET 2 FOR UPDATE",
        ]
    );
    assert_eq!(both[0].1, both[1].1, "the values are the same");
    Ok(())
}

#[test]
fn lists_are_one_value_where_the_dialect_says_so() -> Result<()> {
    let list = |length: i64| (1..=length).map(Value::Int).collect::<Vec<_>>();
    let in_list = |length| Node::In(column(0), list(length));
    let both = written(|select| {
        select.filter(Expr(in_list(3)));
        select.filter(Expr(Node::Not(Box::new(in_list(1)))));
    })?;
    assert_eq!(
        both.each_ref().map(|(text, _)| text.as_str()),
        [
            "SELECT \"stars\".* FROM \"stars\" WHERE \"stars\".\"id\" IN (?, ?, ?, ?) AND \"stars\".\"id\" NOT IN (?)",
            "SELECT `stars`.* FROM `stars` WHERE `stars`.`id` = ANY($1) AND `stars`.`id` <> ALL($2)",
        ]
    );
    assert_eq!(both[0].1.len(), 5, "padded to a power of two");
    assert_eq!(both[1].1[0], Value::Text("{1,2,3}".into()));

    let long = written(|select| select.filter(Expr(in_list(2_000))))?;
    assert_eq!(
        long[0].0,
        "SELECT \"stars\".* FROM \"stars\" WHERE \"stars\".\"id\" IN (SELECT value FROM json_each(?))"
    );
    assert_eq!([long[0].1.len(), long[1].1.len()], [1, 1]);
    let days: Vec<_> = (0..2_000).map(Value::Date).collect();
    let long = written(|select| select.filter(Expr(Node::In(column(0), days.clone()))))?;
    let Value::Json(days) = &long[0].1[0] else {
        panic!("{:?}", long[0].1)
    };
    assert!(days.starts_with("[\"1970-01-01\",\"1970-01-02\","));

    // What JSON has no word for is text that SQLite makes it of again.
    for (value, begins, text) in [
        (
            Value::Float(0.5),
            "[5e-1,",
            "(SELECT value FROM json_each(?))",
        ),
        (
            Value::Float(f64::NEG_INFINITY),
            "[-9e999,",
            "(SELECT value FROM json_each(?))",
        ),
        (
            Value::Decimal("1.50".into()),
            "[\"1.50\",",
            "(SELECT value FROM json_each(?))",
        ),
        (
            Value::Bytes(vec![0, 255].into()),
            "[\"00ff\",",
            "(SELECT unhex(value) FROM json_each(?))",
        ),
    ] {
        let long =
            written(|select| select.filter(Expr(Node::In(column(0), vec![value.clone(); 1_025]))))?;
        assert!(long[0].0.ends_with(text), "{}", long[0].0);
        let Value::Json(list) = &long[0].1[0] else {
            panic!("{:?}", long[0].1)
        };
        assert!(list.starts_with(begins), "{list}");
    }
    // What SQLite would change is bound, so that it is refused.
    for value in [
        Value::Float(f64::NAN),
        Value::Decimal("1234567890123456".into()),
        Value::Uint(u64::MAX),
    ] {
        let long =
            written(|select| select.filter(Expr(Node::In(column(0), vec![value.clone(); 1_025]))))?;
        assert_eq!(long[0].1.len(), 2_048);
    }

    // Keys of several columns, few and many.
    let keys = |length: i64| {
        let key = |number| vec![Value::Int(number), Value::Text("x\"".into())];
        Node::InTuples(
            vec![*column(0), *column(1)],
            (1..=length).map(key).collect(),
        )
    };
    let few = written(|select| select.filter(Expr(keys(1))))?;
    assert_eq!(
        few[0].0,
        "SELECT \"stars\".* FROM \"stars\" WHERE (\"stars\".\"id\" = ? AND \"stars\".\"name`\"\"\" = ?)"
    );
    let many = written(|select| select.filter(Expr(keys(65))))?;
    assert_eq!(
        many[0].0,
        "SELECT \"stars\".* FROM \"stars\" WHERE (\"stars\".\"id\", \"stars\".\"name`\"\"\") IN \
         (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
    );
    let Value::Json(keys) = &many[0].1[0] else {
        panic!("{:?}", many[0].1)
    };
    assert!(keys.starts_with(r#"[[1,"x\""],[2,"x\""],"#));
    assert_eq!(
        many[1].1.len(),
        130,
        "written out where there is no other way"
    );

    // What one value cannot hold exactly is written out.
    let texts = vec![Value::Text("a".into()), Value::Text("b".into())];
    let both = written(|select| select.filter(Expr(Node::In(column(1), texts.clone()))))?;
    assert_eq!(
        both[1].0,
        "SELECT `stars`.* FROM `stars` WHERE `stars`.`name``\"` IN ($1, $2)"
    );
    Ok(())
}

#[test]
fn patterns() -> Result<()> {
    for (ignoring_case, texts, pattern) in [
        (
            false,
            [
                "\"stars\".\"name`\"\"\" GLOB ?",
                "`stars`.`name``\"` LIKE $1 ESCAPE '\\'",
            ],
            "a*[*]",
        ),
        (
            true,
            [
                "\"stars\".\"name`\"\"\" LIKE ? ESCAPE '\\'",
                "`stars`.`name``\"` ILIKE $1 ESCAPE '\\'",
            ],
            "a%*",
        ),
    ] {
        let both = written(|select| {
            select.filter(Expr(Node::Like(column(1), "a%*".into(), ignoring_case)));
        })?;
        for ((text, _), condition) in both.iter().zip(texts) {
            assert!(text.ends_with(condition), "{text}");
        }
        assert_eq!(both[0].1, [Value::Text(pattern.into())]);
        assert_eq!(both[1].1, [Value::Text("a%*".into())]);
    }
    Ok(())
}

#[test]
fn statements_of_known_shape_are_kept_a_dialect() {
    let insert =
        |columns: &[usize]| BOTH.map(|dialect| statements::insert(model(), dialect, columns));
    assert_eq!(
        insert(&[2]).each_ref().map(|text| &**text),
        [
            "INSERT INTO \"stars\" (\"seen\") VALUES (?)",
            "INSERT INTO `stars` (`seen`) VALUES ($1) RETURNING `id`",
        ]
    );
    assert_eq!(
        insert(&[0, 2]).each_ref().map(|text| &**text),
        [
            "INSERT INTO \"stars\" (\"id\", \"seen\") VALUES (?, ?)",
            "INSERT INTO `stars` (`id`, `seen`) VALUES ($1, $2)",
        ]
    );
    assert_eq!(
        &*insert(&[])[1],
        "INSERT INTO `stars` DEFAULT VALUES RETURNING `id`"
    );
    assert_eq!(
        &*statements::update(model(), BOTH[1], &[1, 2], statements::Guard::None),
        "UPDATE `stars` SET `name``\"` = $1, `seen` = $2 WHERE `stars`.`id` = $3"
    );
    assert_eq!(
        BOTH.map(|dialect| statements::find(model(), dialect).to_string()),
        [
            "SELECT \"stars\".* FROM \"stars\" WHERE \"stars\".\"id\" = ?",
            "SELECT `stars`.* FROM `stars` WHERE `stars`.`id` = $1",
        ]
    );
}

#[test]
fn tables_literals_and_plans() -> Result<()> {
    assert_eq!(
        schema::create(model(), BOTH[1])?.0[0],
        "CREATE TABLE `stars` (`id` BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, `name``\"` TEXT, `seen` BOOLEAN)"
    );
    let moon = ModelBuilder::new("DialectMoon", "moons")
        .column(Column::new("id", AttributeType::plain(Kind::Int, false)))
        .column(Column::new(
            "star_id",
            AttributeType::plain(Kind::Int, false),
        ))
        .primary_key(["id"])
        .association(AssociationReflection::belongs_to(
            "star",
            Target::Model(model),
        ))
        .define()
        .unwrap();
    let [ahead, later] = [
        schema::create(moon, BOTH[0])?,
        schema::create(moon, BOTH[1])?,
    ];
    assert!(
        ahead.0[0].ends_with(", FOREIGN KEY (\"star_id\") REFERENCES \"stars\" (\"id\"))")
            && ahead.1.is_empty()
    );
    assert!(later.0[0].ends_with("`star_id` BIGINT NOT NULL)"));
    assert_eq!(
        later.1,
        ["ALTER TABLE `moons` ADD FOREIGN KEY (`star_id`) REFERENCES `stars` (`id`)"]
    );
    let shown = BOTH.map(|dialect| {
        let mut writer = Writer::inline(dialect);
        writer.node(&Node::Value(Value::Bool(true)));
        writer.finish().0
    });
    assert_eq!(shown, ["1", "TRUE"]);
    assert_eq!(&*schema::explain(BOTH[1], "SELECT 1"), "EXPLAIN SELECT 1");
    Ok(())
}

/// A `?` in a literal, a name or a comment was taken for a placeholder, and the values moved by one.
#[test]
fn placeholders_of_raw_sql_are_those_outside_of_literals_names_and_comments() {
    let raw =
        Raw::new("a = ? AND b = 'it''s ?' AND \"?\" = ? -- why?\n AND `?` = ? /* ? */ AND d = ?")
            .bind(1)
            .bind(2)
            .bind(3)
            .bind(4);
    let both = BOTH.map(|dialect| {
        let mut writer = Writer::new(dialect);
        writer.raw(&raw);
        writer.finish()
    });
    assert_eq!(both[0].0, raw.text());
    assert_eq!(
        both[1].0,
        "a = $1 AND b = 'it''s ?' AND \"?\" = $2 -- why?\n AND `?` = $3 /* ? */ AND d = $4"
    );
    assert_eq!(both[1].1, [1, 2, 3, 4].map(Value::Int));
    for unclosed in ["a = '?", "/* ?", "-- ?"] {
        let mut writer = Writer::new(BOTH[1]);
        writer.raw(&Raw::trusted(unclosed.to_owned()).bind(1));
        assert_eq!(writer.finish().0, unclosed);
    }
}
