//! The reader: the template's YAML to plain data.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_yaml_ng::Value;

use super::error::TemplateError;
use super::node::{Intrinsic, Node};
use super::properties::{
    attribute, count, count_of, directory, filters, index, keys, rate, record_age, refuse, reports_failures,
    retry_attempts, seconds, stream_view,
};
use super::{
    EnvValue, FunctionSpec, ParameterSpec, QueueMapping, QueueSpec, ScheduleSpec, StreamMapping, TableSpec,
    Template, TopicSpec,
};

const TABLE: &str = "AWS::DynamoDB::Table";
const TOPIC: &str = "AWS::SNS::Topic";
const QUEUE: &str = "AWS::SQS::Queue";
const MAPPING: &str = "AWS::Lambda::EventSourceMapping";
const FUNCTION: &str = "AWS::Serverless::Function";
const SCHEDULE: &str = "AWS::Scheduler::Schedule";

/// Lambda's default.
const DEFAULT_TIMEOUT_SECONDS: i64 = 3;
/// Lambda's default for streams.
const DEFAULT_BATCH_SIZE: i64 = 100;
/// Lambda's default for queues.
const DEFAULT_QUEUE_BATCH_SIZE: i64 = 10;
/// SQS's default.
const DEFAULT_VISIBILITY_SECONDS: i64 = 30;

/// The mappings of the template, by their source.
struct Mappings<'a> {
    streams: Vec<(&'a str, Node<'a>)>,
    queues: Vec<(&'a str, Node<'a>)>,
}

/// The parts of the template that resources refer to.
struct Context<'a> {
    parameters: Vec<ParameterSpec>,
    kinds: BTreeMap<&'a str, &'a str>,
    function_globals: Option<Node<'a>>,
}

pub(super) fn template(root: &Value) -> Result<Template, TemplateError> {
    let root = Node::new("template", root);
    let resources = resources(&root)?;
    let context = Context {
        parameters: parameters(&root)?,
        kinds: resources.iter().map(|(kind, node)| (node.resource(), *kind)).collect(),
        function_globals: root.get("Globals").and_then(|globals| globals.get("Function")),
    };
    let mappings = context.mappings(&resources);
    let template = Template {
        tables: each(&resources, TABLE, |node| context.table(node))?,
        topics: each(&resources, TOPIC, |node| context.topic(node))?,
        queues: each(&resources, QUEUE, |node| context.queue(node))?,
        mappings: each(&mappings.streams, MAPPING, |node| context.mapping(node))?,
        queue_mappings: each(&mappings.queues, MAPPING, |node| context.queue_mapping(node))?,
        schedules: each(&resources, SCHEDULE, |node| context.schedule(node))?,
        functions: each(&resources, FUNCTION, |node| context.function(node))?,
        parameters: context.parameters,
    };
    streams_exist(&template)?;
    Ok(template)
}

/// The properties of each resource, with its type.
fn resources<'a>(root: &Node<'a>) -> Result<Vec<(&'a str, Node<'a>)>, TemplateError> {
    let entries = root.need("Resources")?.entries()?;
    entries
        .into_iter()
        .map(|(logical_id, node)| {
            let node = node.named(logical_id);
            let kind = node.need("Type")?.text()?;
            Ok((kind, node.properties()))
        })
        .collect()
}

fn each<'a, T>(
    resources: &[(&str, Node<'a>)],
    kind: &str,
    read: impl Fn(&Node<'a>) -> Result<T, TemplateError>,
) -> Result<Vec<T>, TemplateError> {
    resources.iter().filter(|(is, _)| *is == kind).map(|(_, node)| read(node)).collect()
}

fn parameters(root: &Node<'_>) -> Result<Vec<ParameterSpec>, TemplateError> {
    let Some(parameters) = root.get("Parameters") else { return Ok(Vec::new()) };
    let mut parameters = parameters
        .entries()?
        .into_iter()
        .map(|(name, node)| {
            let default = node.get("Default").map(|default| default.scalar()).transpose()?;
            Ok(ParameterSpec { name: name.to_owned(), default })
        })
        .collect::<Result<Vec<_>, TemplateError>>()?;
    parameters.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(parameters)
}

/// Checks that a mapping's table has a stream.
fn streams_exist(template: &Template) -> Result<(), TemplateError> {
    for mapping in &template.mappings {
        if template.table(&mapping.table)?.stream.is_none() {
            return Err(TemplateError::Missing {
                resource: mapping.table.clone(),
                property: format!("StreamSpecification, which {} reads,", mapping.logical_id),
            });
        }
    }
    Ok(())
}

impl<'a> Context<'a> {
    fn table(&self, node: &Node<'a>) -> Result<TableSpec, TemplateError> {
        refuse(node, "LocalSecondaryIndexes")?;
        let (hash_key, range_key) = keys(node)?;
        Ok(TableSpec {
            logical_id: node.resource().to_owned(),
            name: self.name(node, "TableName")?,
            hash_key,
            range_key,
            attributes: node
                .need("AttributeDefinitions")?
                .items()?
                .iter()
                .map(attribute)
                .collect::<Result<_, _>>()?,
            indexes: node.items_of("GlobalSecondaryIndexes")?.iter().map(index).collect::<Result<_, _>>()?,
            stream: node.get("StreamSpecification").map(|stream| stream_view(&stream)).transpose()?,
        })
    }

    fn topic(&self, node: &Node<'a>) -> Result<TopicSpec, TemplateError> {
        refuse(node, "FifoTopic")?;
        Ok(TopicSpec { logical_id: node.resource().to_owned(), name: self.name(node, "TopicName")? })
    }

    fn queue(&self, node: &Node<'a>) -> Result<QueueSpec, TemplateError> {
        let receives = node.get("RedrivePolicy").map(|policy| {
            let most = policy.need("maxReceiveCount")?;
            count_of(&most, 1_000, "1 to 1000")
        });
        Ok(QueueSpec {
            logical_id: node.resource().to_owned(),
            name: self.name(node, "QueueName")?,
            fifo: node.flag("FifoQueue")?,
            visibility_timeout: seconds(
                node,
                "VisibilityTimeout",
                DEFAULT_VISIBILITY_SECONDS,
                43_200,
                "0 to 43200",
            )?,
            maximum_receives: receives.transpose()?,
        })
    }

    fn queue_mapping(&self, node: &Node<'a>) -> Result<QueueMapping, TemplateError> {
        refuse(node, "Enabled")?;
        refuse(node, "FilterCriteria")?;
        let queue = node.need("EventSourceArn")?;
        let id = match queue.intrinsic() {
            Some(Intrinsic::Attribute(id, "Arn")) => id.to_owned(),
            _ => return Err(queue.unexpected("a GetAtt of a queue's Arn")),
        };
        Ok(QueueMapping {
            logical_id: node.resource().to_owned(),
            queue: id,
            function: self.function_id(&node.need("FunctionName")?)?,
            batch_size: count(node, "BatchSize", DEFAULT_QUEUE_BATCH_SIZE, 10_000, "1 to 10000")?,
            report_batch_item_failures: reports_failures(node)?,
        })
    }

    /// The mappings of streams, and those of queues.
    fn mappings(&self, resources: &[(&'a str, Node<'a>)]) -> Mappings<'a> {
        let of_queue = |node: &Node<'a>| {
            let source = node.get("EventSourceArn");
            let source = source.as_ref().and_then(Node::intrinsic);
            matches!(source, Some(Intrinsic::Attribute(id, _)) if self.is_a(id, QUEUE))
        };
        let (queues, streams) = resources.iter().cloned().partition(|(_, node)| of_queue(node));
        Mappings { streams, queues }
    }

    fn mapping(&self, node: &Node<'a>) -> Result<StreamMapping, TemplateError> {
        refuse(node, "TumblingWindowInSeconds")?;
        refuse(node, "Enabled")?;
        let start = node.need("StartingPosition")?;
        if start.text()? != "TRIM_HORIZON" {
            return Err(start.unexpected("TRIM_HORIZON, the only start that loses nothing"));
        }
        Ok(StreamMapping {
            logical_id: node.resource().to_owned(),
            table: self.table_of_stream(&node.need("EventSourceArn")?)?,
            function: self.function_id(&node.need("FunctionName")?)?,
            batch_size: count(node, "BatchSize", DEFAULT_BATCH_SIZE, 10_000, "1 to 10000")?,
            batching_window: seconds(node, "MaximumBatchingWindowInSeconds", 0, 300, "0 to 300")?,
            parallelization_factor: count(node, "ParallelizationFactor", 1, 10, "1 to 10")?,
            bisect: node.flag("BisectBatchOnFunctionError")?,
            report_batch_item_failures: reports_failures(node)?,
            maximum_retry_attempts: retry_attempts(node)?,
            maximum_record_age: record_age(node)?,
            on_failure: self.on_failure(node)?,
            filters: filters(node)?,
        })
    }

    fn schedule(&self, node: &Node<'a>) -> Result<ScheduleSpec, TemplateError> {
        refuse(node, "State")?;
        let target = node.need("Target")?;
        refuse(&target, "Input")?;
        Ok(ScheduleSpec {
            logical_id: node.resource().to_owned(),
            name: self.name(node, "Name")?,
            function: self.function_id(&target.need("Arn")?)?,
            every: rate(&node.need("ScheduleExpression")?)?,
        })
    }

    fn function(&self, node: &Node<'a>) -> Result<FunctionSpec, TemplateError> {
        refuse(node, "Events")?;
        let timeout = [Some(node), self.function_globals.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|node| node.get("Timeout"))
            .map_or(Ok(DEFAULT_TIMEOUT_SECONDS), |timeout| timeout.number(1..=900, "1 to 900 seconds"))?;
        Ok(FunctionSpec {
            logical_id: node.resource().to_owned(),
            directory: directory(&node.need("CodeUri")?)?,
            environment: self.environment(node)?,
            timeout: TimeDelta::seconds(timeout),
        })
    }

    /// The variables of the globals and of the function, which takes precedence.
    fn environment(&self, node: &Node<'a>) -> Result<Vec<(String, EnvValue)>, TemplateError> {
        let mut environment = BTreeMap::new();
        for layer in [self.function_globals.as_ref(), Some(node)].into_iter().flatten() {
            let variables = layer.get("Environment").and_then(|environment| environment.get("Variables"));
            for (name, value) in variables.map_or(Ok(Vec::new()), |variables| variables.entries())? {
                environment.insert(name.to_owned(), self.env_value(&value)?);
            }
        }
        Ok(environment.into_iter().collect())
    }

    fn env_value(&self, node: &Node<'a>) -> Result<EnvValue, TemplateError> {
        // Conditions ask whether a parameter was left out. On this machine each has a value.
        let otherwise = node.otherwise();
        let node = otherwise.as_ref().unwrap_or(node);
        match node.intrinsic() {
            Some(Intrinsic::Ref(id)) if self.is_a(id, TABLE) => Ok(EnvValue::Table(id.to_owned())),
            Some(Intrinsic::Ref(id) | Intrinsic::Attribute(id, "TopicArn")) if self.is_a(id, TOPIC) => {
                Ok(EnvValue::Topic(id.to_owned()))
            }
            Some(Intrinsic::Ref(id) | Intrinsic::Attribute(id, "QueueUrl")) if self.is_a(id, QUEUE) => {
                Ok(EnvValue::Queue(id.to_owned()))
            }
            Some(Intrinsic::Ref(name)) if self.parameter(name).is_some() => {
                Ok(EnvValue::Parameter(name.to_owned()))
            }
            Some(Intrinsic::Ref(target) | Intrinsic::Attribute(target, _)) => {
                Err(node.unresolved(target, "a table's name, a topic's ARN, a queue's URL or a parameter"))
            }
            Some(Intrinsic::Sub(text)) => self.substitute(node, text).map(EnvValue::Literal),
            None => node.scalar().map(EnvValue::Literal),
        }
    }

    fn is_a(&self, logical_id: &str, kind: &str) -> bool {
        self.kinds.get(logical_id) == Some(&kind)
    }

    fn parameter(&self, name: &str) -> Option<&ParameterSpec> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// A resource's name, or its logical id where the template leaves the name to CloudFormation.
    fn name(&self, node: &Node<'a>, property: &str) -> Result<String, TemplateError> {
        let Some(name) = node.get(property) else { return Ok(node.resource().to_owned()) };
        match name.intrinsic() {
            Some(Intrinsic::Sub(text)) => self.substitute(&name, text),
            _ => name.text().map(str::to_owned),
        }
    }

    /// A `Sub` over parameters, with their defaults.
    fn substitute(&self, node: &Node<'a>, text: &str) -> Result<String, TemplateError> {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) =
                after.split_once('}').ok_or_else(|| node.unexpected("a Sub whose ${ close"))?;
            let default = self.parameter(name).and_then(|parameter| parameter.default.as_deref());
            result.push_str(before);
            result.push_str(default.ok_or_else(|| node.unresolved(name, "a parameter with a default"))?);
            rest = tail;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn table_of_stream(&self, node: &Node<'a>) -> Result<String, TemplateError> {
        match node.intrinsic() {
            Some(Intrinsic::Attribute(id, "StreamArn")) if self.is_a(id, TABLE) => Ok(id.to_owned()),
            Some(Intrinsic::Attribute(id, _) | Intrinsic::Ref(id)) => {
                Err(node.unresolved(id, "the StreamArn of a table"))
            }
            _ => Err(node.unexpected("a GetAtt of a table's StreamArn")),
        }
    }

    fn function_id(&self, node: &Node<'a>) -> Result<String, TemplateError> {
        match node.intrinsic() {
            Some(Intrinsic::Ref(id) | Intrinsic::Attribute(id, "Arn")) if self.is_a(id, FUNCTION) => {
                Ok(id.to_owned())
            }
            // Here runs one version, whatever alias triggers invoke.
            Some(Intrinsic::Ref(alias))
                if let Some(id) = alias.strip_suffix(".Alias")
                    && self.is_a(id, FUNCTION) =>
            {
                Ok(id.to_owned())
            }
            Some(Intrinsic::Attribute(id, _) | Intrinsic::Ref(id)) => Err(node.unresolved(id, "a function")),
            _ => Err(node.unexpected("a Ref of a function or a GetAtt of its Arn")),
        }
    }

    fn on_failure(&self, node: &Node<'a>) -> Result<Option<String>, TemplateError> {
        let Some(config) = node.get("DestinationConfig") else { return Ok(None) };
        let destination = config.need("OnFailure")?.need("Destination")?;
        match destination.intrinsic() {
            Some(Intrinsic::Ref(id) | Intrinsic::Attribute(id, _)) if self.kinds.contains_key(id) => {
                Ok(Some(id.to_owned()))
            }
            Some(Intrinsic::Ref(id) | Intrinsic::Attribute(id, _)) => {
                Err(destination.unresolved(id, "a resource"))
            }
            _ => Err(destination.unexpected("a Ref or a GetAtt")),
        }
    }
}
