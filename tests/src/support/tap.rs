//! A tap on a stream.

use duewatch_app::Clock;
use duewatch_stack::template::Template;
use duewatch_stack::{Functions, Pump, Stack};
use serde_json::Value;

/// Reads a stream beside the functions, as event JSON.
///
/// The tap is a pump without a function: it sends every record to its on-failure destination, whole and in
/// order.
#[derive(Debug)]
pub(super) struct Tap {
    pump: Pump,
    no_functions: Functions,
    seen: usize,
}

impl Tap {
    pub(super) fn on(stack: &Stack, mapping: &str) -> Self {
        let template = Template::embedded().unwrap();
        let mut mapping = template.mapping(mapping).unwrap().clone();
        mapping.bisect = false;
        mapping.maximum_retry_attempts = Some(0);
        let table = template.table(&mapping.table).unwrap();
        let pump = Pump::new(&stack.services().db, mapping, &table.name, "nobody".to_owned()).unwrap();
        Self { pump, no_functions: stack.functions().clone(), seen: 0 }
    }

    pub(super) async fn records(&mut self, stack: &Stack) -> Vec<Value> {
        while self.pump.read(&stack.services().db).unwrap() {
            self.pump.deliver(&self.no_functions, stack.clock().now()).await;
        }
        let all = self.pump.given_up();
        let new = all[self.seen..].iter().map(|given_up| given_up.record.clone()).collect();
        self.seen = all.len();
        new
    }
}
