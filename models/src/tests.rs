//! The queue of the writer (one place) and of the readers (two), and three tasks.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::Mutex;
use loom::thread;

use super::queue::Queue;

/// Runs every interleaving. Every task that is left waiting is a deadlock, which the checker reports.
fn model(tasks: impl Fn() + Sync + Send + 'static) {
    loom::model(tasks);
}

/// Runs every interleaving in which up to three times a task stops that could have gone on: without this bound, three
/// tasks that do several things each would take hours.
fn bounded_model(tasks: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(tasks);
}

/// A place, and how many are out at the same time.
struct Place(usize);

/// Wakes nobody: for polls by hand.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: std::sync::Arc<Self>) {}
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let waker = Waker::from(std::sync::Arc::new(Nobody));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

/// Takes a turn, and checks that no more are out than there are places.
fn turn(queue: &Queue<Place>, out: &AtomicUsize, places: usize) {
    if let Some(place) = block_on(queue.take()) {
        let others = out.fetch_add(1, Ordering::SeqCst);
        assert!(others < places, "{others} turns beside this one");
        thread::yield_now();
        out.fetch_sub(1, Ordering::SeqCst);
        assert!(queue.give(place).is_none());
    }
}

fn three_tasks(places: usize) {
    bounded_model(move || {
        let queue = Arc::new(Queue::of((0..places).map(Place)));
        // Not the checker's own: what it counts must not be a point where tasks change.
        let out = std::sync::Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let (queue, out) = (queue.clone(), out.clone());
                thread::spawn(move || turn(&queue, &out, places))
            })
            .collect();
        turn(&queue, &out, places);
        tasks.into_iter().for_each(|task| task.join().unwrap());
        assert_eq!((queue.free(), queue.waiting()), (places, 0));
        let mut seen: Vec<usize> = (0..places)
            .map(|_| queue.try_take().map_or(usize::MAX, |place| place.0))
            .collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..places), "each place is there once");
    });
}

#[test]
fn one_place_is_held_by_one_task_and_nobody_is_lost() {
    three_tasks(1);
}

#[test]
fn two_places_are_held_by_two_tasks_and_nobody_is_lost() {
    three_tasks(2);
}

/// The second waiter gives up at any moment, also when the place was just handed to it.
#[test]
fn a_waiter_that_gives_up_passes_its_turn_on() {
    model(|| {
        let queue = Arc::new(Queue::of([Place(0)]));
        let place = queue.try_take().unwrap();
        let mut gives_up = Box::pin(queue.take());
        assert!(poll(&mut gives_up).is_pending());
        let third = {
            let queue = queue.clone();
            thread::spawn(move || {
                let place = block_on(queue.take()).unwrap();
                assert!(queue.give(place).is_none());
            })
        };
        let holder = {
            let queue = queue.clone();
            thread::spawn(move || assert!(queue.give(place).is_none()))
        };
        drop(gives_up);
        holder.join().unwrap();
        third.join().unwrap();
        assert_eq!((queue.free(), queue.waiting()), (1, 0));
    });
}

/// Tickets are drawn in a known order by one task; two others give places back at any moment, and one comes between.
#[test]
fn turns_come_in_the_order_of_the_tickets() {
    bounded_model(|| {
        let queue = Arc::new(Queue::of([Place(0)]));
        let order = Arc::new(Mutex::new(Vec::new()));
        let place = queue.try_take().unwrap();
        let mut first = Box::pin(queue.take());
        let mut second = Box::pin(queue.take());
        assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
        let giver = {
            let queue = queue.clone();
            thread::spawn(move || assert!(queue.give(place).is_none()))
        };
        let late = {
            let (queue, order) = (queue.clone(), order.clone());
            thread::spawn(move || {
                // It can never be quicker than those who have a ticket.
                let place = match queue.try_take() {
                    Some(place) => place,
                    None => block_on(queue.take()).unwrap(),
                };
                assert_eq!(order.lock().unwrap().len(), 2);
                order.lock().unwrap().push(3);
                assert!(queue.give(place).is_none());
            })
        };
        // Awaited in the other order: the second cannot have it before the first gives it back.
        assert!(poll(&mut second).is_pending());
        let place = block_on(first).unwrap();
        order.lock().unwrap().push(1);
        assert!(poll(&mut second).is_pending());
        assert!(queue.give(place).is_none());
        let place = block_on(second).unwrap();
        order.lock().unwrap().push(2);
        assert!(queue.give(place).is_none());
        giver.join().unwrap();
        late.join().unwrap();
        assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
        assert_eq!((queue.free(), queue.waiting()), (1, 0));
    });
}

/// Closing reaches everybody: who waits is told so, who gives gets the place back, and no place is left in between.
#[test]
fn a_queue_that_closes_leaves_no_waiter_and_no_place_behind() {
    model(|| {
        let queue = Arc::new(Queue::of([Place(0)]));
        let places = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let (queue, places) = (queue.clone(), places.clone());
                thread::spawn(move || {
                    if let Some(place) = block_on(queue.take())
                        && queue.give(place).is_some()
                    {
                        *places.lock().unwrap() += 1;
                    }
                })
            })
            .collect();
        *places.lock().unwrap() += queue.close().len();
        tasks.into_iter().for_each(|task| task.join().unwrap());
        assert_eq!(*places.lock().unwrap(), 1);
        assert!(queue.try_take().is_none());
    });
}
