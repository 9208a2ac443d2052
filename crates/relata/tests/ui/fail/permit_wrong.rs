use relata::permit;

fn main() {
    let _ = permit![title = true];
    let _ = permit![title, comments: body];
    let _ = permit!["title"];
    let _ = permit![title, comments: [[id, body]]];
    let _ = permit![title, comments: [:body]];
}
