"""Generates models/constraints/*.json out of botocore's service models: facts only, no documentation text.

Run with a Python that has botocore: python3 tools/gen-models.py
The tables are committed; nothing generates them at build or install.
"""
import json
import pathlib

import botocore.session

# Our service id -> botocore's name.
SERVICES = {
    'iam': 'iam', 'sts': 'sts', 'ec2': 'ec2', 'elbv2': 'elbv2', 'kms': 'kms', 'secretsmanager': 'secretsmanager',
    'organizations': 'organizations', 'wafv2': 'wafv2', 'shield': 'shield', 'fms': 'fms', 'acm': 'acm',
    'cognito-idp': 'cognito-idp', 'cognito-identity': 'cognito-identity', 'sso-admin': 'sso-admin',
    'identitystore': 'identitystore', 'cloudtrail': 'cloudtrail', 'logs': 'logs', 'monitoring': 'cloudwatch',
    'guardduty': 'guardduty', 'inspector2': 'inspector2', 'securityhub': 'securityhub',
    'accessanalyzer': 'accessanalyzer', 'lambda': 'lambda', 'sso': 'sso', 'sso-oidc': 'sso-oidc',
    'route53': 'route53', 's3': 's3',
}


def own(shape):
    """What the model says of a shape's values; empty when nothing."""
    metadata = shape.metadata
    found = {}
    if 'enum' in metadata:
        found['e'] = list(metadata['enum'])
    if 'min' in metadata:
        found['n'] = metadata['min']
    if 'max' in metadata:
        found['x'] = metadata['max']
    if 'pattern' in metadata:
        found['p'] = metadata['pattern']
    if shape.type_name in ('integer', 'long'):
        found['i'] = 1
    return found


def constraint(shape, depth=0):
    found = own(shape)
    if depth > 4:
        return found
    parts = {'list': [('m', 'member')], 'map': [('k', 'key'), ('v', 'value')]}.get(shape.type_name, [])
    for name, attribute in parts:
        inner = constraint(getattr(shape, attribute), depth + 1)
        if inner:
            found[name] = inner
    return found


def main():
    out = pathlib.Path(__file__).parent.parent / 'models' / 'constraints'
    out.mkdir(parents=True, exist_ok=True)
    session = botocore.session.get_session()
    for ours, name in SERVICES.items():
        model = session.get_service_model(name)
        structs = {}
        for shape_name in model.shape_names:
            shape = model.shape_for(shape_name)
            if shape.type_name != 'structure':
                continue
            members = {member: constraint(inner) for member, inner in shape.members.items()}
            members = {member: found for member, found in members.items() if found}
            if members:
                structs[shape_name] = members
        errors = {operation: sorted(shape.name for shape in model.operation_model(operation).error_shapes)
                  for operation in model.operation_names}
        text = json.dumps({'structs': structs, 'errors': errors}, separators=(',', ':'), sort_keys=True)
        (out / f'{ours}.json').write_text(text + '\n')


if __name__ == '__main__':
    main()
