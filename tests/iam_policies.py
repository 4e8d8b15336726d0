"""Scans the policies of the template's roles with cloudsplaining. Ends with 1 where it finds anything.

    tests/iam_policies.py            in an environment with cloudsplaining and aws-sam-translator (aws-sam-cli has it)

References become ARNs of an account of AWS's own examples, so that a right on one resource counts as such.
"""

import pathlib
import re
import sys

from cloudsplaining.scan.policy_document import PolicyDocument
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = pathlib.Path(__file__).parent.parent / "infra/template.yaml"
ARN = "arn:aws:{service}:eu-central-1:123456789012:{name}"
SERVICES = {
    "AWS::Backup::BackupVault": "backup",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::KMS::Key": "kms",
    "AWS::KinesisFirehose::DeliveryStream": "firehose",
    "AWS::Logs::LogGroup": "logs",
    "AWS::Serverless::Function": "lambda",
    "AWS::SNS::Topic": "sns",
    "AWS::SQS::Queue": "sqs",
}
FINDINGS = [
    "all_allowed_unrestricted_actions",
    "allows_data_exfiltration_actions",
    "allows_privilege_escalation",
    "contains_statement_using_not_action",
    "credentials_exposure",
    "infrastructure_modification",
    "permissions_management_without_constraints",
    "service_wildcard",
    "tagging_actions_without_constraints",
    "write_actions_without_constraints",
]


def main() -> int:
    resources = yaml_parse(TEMPLATE.read_text())["Resources"]
    found = []
    scanned = 0
    for name, resource in resources.items():
        for policy in policies(resource):
            document = PolicyDocument(rendered(policy["PolicyDocument"], resources))
            scanned += 1
            for finding in FINDINGS:
                actions = getattr(document, finding)
                if actions:
                    found.append(f"{name}: {finding}: {actions}")
    print(f"cloudsplaining: {scanned} policies, {len(found)} findings", *found, sep="\n  ")
    return 1 if found or not scanned else 0


def policies(resource):
    """The policies of a role, or the one that a resource is."""
    if resource["Type"] == "AWS::IAM::Role":
        return resource["Properties"].get("Policies", [])
    return [resource["Properties"]] if resource["Type"] == "AWS::IAM::ManagedPolicy" else []


def rendered(node, resources):
    """The policy with each reference in the place that it has on AWS."""
    if isinstance(node, list):
        return [rendered(one, resources) for one in node]
    if not isinstance(node, dict):
        return node
    if "Ref" in node:
        return arn(node["Ref"], resources)
    if "Fn::GetAtt" in node:
        of = node["Fn::GetAtt"]
        return arn((of if isinstance(of, str) else of[0]).split(".")[0], resources)
    if "Fn::Sub" in node:
        return re.sub(r"\$\{(\w+)[^}]*\}", lambda one: arn(one.group(1), resources), node["Fn::Sub"])
    return {key: rendered(value, resources) for key, value in node.items()}


def arn(name: str, resources) -> str:
    if name not in resources:
        return "123456789012"
    kind = resources[name]["Type"]
    if kind == "AWS::S3::Bucket":
        return f"arn:aws:s3:::{name.lower()}"
    return ARN.format(service=SERVICES[kind], name=name)


if __name__ == "__main__":
    sys.exit(main())
