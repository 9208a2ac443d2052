//! Letter case, paths, acronyms, and the names of tables and keys.

use relata_inflect::{
    Inflections, camelize, classify, dasherize, demodulize, foreign_key, humanize, ordinalize,
    tableize, titleize, underscore,
};

/// Names that go there and back without loss.
const ROUND_TRIPS: &[(&str, &str)] = &[
    ("Post", "post"),
    ("AdminComment", "admin_comment"),
    ("SpecialGuestListEntry", "special_guest_list_entry"),
    ("Area51Controller", "area51_controller"),
    ("Sha256", "sha256"),
    ("V2Api", "v2_api"),
    ("Admin::Post", "admin/post"),
    ("Users::Commission::LineItem", "users/commission/line_item"),
    ("Café", "café"),
    ("ÉtéIndien", "été_indien"),
    ("", ""),
];

#[test]
fn camel_case_and_back() {
    for (camel, underscored) in ROUND_TRIPS {
        assert_eq!(underscore(camel), *underscored);
        assert_eq!(camelize(underscored), *camel);
        assert_eq!(underscore(underscored), *underscored, "done already");
        assert_eq!(camelize(camel), *camel, "done already");
    }
}

#[test]
fn runs_of_capitals_end_where_the_next_word_begins() {
    for (camel, underscored) in [
        ("HTML", "html"),
        ("HTMLParser", "html_parser"),
        ("HTMLTidyGenerator", "html_tidy_generator"),
        ("FreeBSD", "free_bsd"),
        ("SSLError", "ssl_error"),
        ("userID", "user_id"),
        ("XMLHttpRequest", "xml_http_request"),
        ("APIs", "ap_is"),
    ] {
        assert_eq!(underscore(camel), underscored);
    }
    assert_eq!(camelize("ssl_error"), "SslError");
}

#[test]
fn small_first_letters_dashes_and_rust_paths() {
    assert_eq!(underscore("fancyCategory"), "fancy_category");
    assert_eq!(underscore("admin-comment"), "admin_comment");
    assert_eq!(underscore("blog_engine::Post"), "blog_engine/post");
    assert_eq!(camelize("fancyCategory"), "FancyCategory");
    assert_eq!(camelize("blog_engine::Post"), "BlogEngine::Post");
    assert_eq!(camelize("blog_engine/post"), "BlogEngine::Post");
    assert_eq!(camelize("_hidden__name_"), "HiddenName");
}

#[test]
fn acronyms_keep_their_capitals() {
    let names = Inflections::english()
        .acronym("HTML")
        .acronym("API")
        .acronym("HTTP")
        .acronym("HTTPS")
        .acronym("RESTful")
        .acronym("McDonald");
    for (camel, underscored) in [
        ("HTML", "html"),
        ("MyHTML", "my_html"),
        ("HTMLParser", "html_parser"),
        ("HTMLAPI", "html_api"),
        ("APIKey", "api_key"),
        ("UserAPIKey", "user_api_key"),
        ("RESTful", "restful"),
        ("RESTfulController", "restful_controller"),
        ("McDonald", "mcdonald"),
        ("HTTPSProxy", "https_proxy"),
        ("Nested::HTMLPage", "nested/html_page"),
    ] {
        assert_eq!(names.underscore(camel), underscored);
        assert_eq!(names.camelize(underscored), camel);
    }
    // Part of another word.
    assert_eq!(names.camelize("htmlish"), "Htmlish");
    assert_eq!(names.underscore("AHTMLPage"), "a_html_page");
    assert_eq!(names.underscore("my_RESTful"), "my_restful");
    assert_eq!(names.humanize("html_page_id"), "HTML page");
    assert_eq!(names.titleize("RESTfulController"), "RESTful Controller");
    assert_eq!(names.tableize("APIKey"), "api_keys");
    assert_eq!(names.classify("api_keys"), "APIKey");
    assert_eq!(names.foreign_key("HTMLPage"), "html_page_id");
}

#[test]
fn the_plural_of_an_acronym_is_an_acronym_of_its_own() {
    let names = Inflections::english().acronym("API");
    assert_eq!(names.camelize(&names.pluralize("api")), "Apis");
    let names = names.acronym("APIs");
    assert_eq!(names.camelize(&names.pluralize("api")), "APIs");
    assert_eq!(names.underscore("APIs"), "apis");
}

#[test]
fn tables() {
    assert_eq!(tableize("RawScaledScorer"), "raw_scaled_scorers");
    assert_eq!(tableize("fancyCategory"), "fancy_categories");
    assert_eq!(tableize("ham_and_egg"), "ham_and_eggs");
    assert_eq!(tableize("Admin::Post"), "admin_posts");
    assert_eq!(tableize("admin::Post"), "admin_posts");
    assert_eq!(tableize("::Post"), "posts");
    assert_eq!(
        tableize("Users::Commission::Person"),
        "users_commission_people"
    );
}

#[test]
fn types_of_tables() {
    assert_eq!(classify("ham_and_eggs"), "HamAndEgg");
    assert_eq!(classify("node_children"), "NodeChild");
    assert_eq!(classify("public.admin_comments"), "AdminComment");
    assert_eq!(classify("admin/posts"), "Admin::Post");
    assert_eq!(classify("Posts"), "Post");
    assert_eq!(classify("addresses"), "Address");
    assert_eq!(classify("address"), "Address");
}

#[test]
fn keys_name_the_last_part_of_a_path() {
    assert_eq!(foreign_key("Person"), "person_id");
    assert_eq!(foreign_key("AdminComment"), "admin_comment_id");
    assert_eq!(foreign_key("MyApplication::Billing::Account"), "account_id");
    assert_eq!(demodulize("::Post"), "Post");
    assert_eq!(demodulize("a::b::Post"), "Post");
    assert_eq!(demodulize(""), "");
}

#[test]
fn for_readers() {
    assert_eq!(humanize("employee_salary"), "Employee salary");
    assert_eq!(humanize("employee_id"), "Employee");
    assert_eq!(humanize("underground"), "Underground");
    assert_eq!(humanize("_id"), "Id");
    assert_eq!(humanize("_external_id"), "External");
    assert_eq!(humanize("id"), "Id");
    assert_eq!(humanize("élan_vital"), "Élan vital");
    assert_eq!(humanize(""), "");
    assert_eq!(titleize("man from the boondocks"), "Man From The Boondocks");
    assert_eq!(titleize("TheManWithoutAPast"), "The Man Without A Past");
    assert_eq!(titleize("x-men: the last stand"), "X Men: The Last Stand");
    assert_eq!(titleize("david's code"), "David's Code");
    assert_eq!(titleize("person(s) of note"), "Person(s) Of Note");
    assert_eq!(dasherize("street_address"), "street-address");
    let ordinals: Vec<_> = [0, 1, 2, 3, 4, 11, 12, 13, 21, 102, 111, -1021]
        .map(ordinalize)
        .into();
    assert_eq!(
        ordinals.join(" "),
        "0th 1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th -1021st"
    );
}
