"""Generates models/constraints/*.json and models/schemas/*.json out of botocore's service models.

Facts only, no documentation text. Run with a Python that has botocore: python3 tools/gen-models.py
The tables are committed; nothing generates them at build or install.
"""
import json
import pathlib

import botocore.session

MODELS = pathlib.Path(__file__).parent.parent / 'models'

# Our service ids; botocore's name where it differs.
SERVICES = [
    'iam', 'sts', 'ec2', 'elbv2', 'kms', 'secretsmanager', 'organizations', 'wafv2', 'shield', 'fms', 'acm',
    'cognito-idp', 'cognito-identity', 'sso-admin', 'identitystore', 'cloudtrail', 'logs', 'monitoring', 'guardduty',
    'inspector2', 'securityhub', 'accessanalyzer', 'lambda', 'sso', 'sso-oidc', 'route53', 's3',
    'inspector', 'cloudhsmv2', 'acm-pca', 'artifact', 'ds',
]
BOTOCORE = {'monitoring': 'cloudwatch'}

# What newer clients know and botocore does not yet: more values of enumerations, and whole structures. Drop each when
# botocore has it.
NEWER_VALUES = {
    'cognito-idp': {'ExplicitAuthFlows': ('ALLOW_USER_SRP_AUTH', ['ALLOW_CLIENT_TOKEN_AUTH'])},
    'kms': {
        'KeySpec': ('SYMMETRIC_DEFAULT', ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024']),
        'KeyPairSpec': ('RSA_2048', ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024']),
        'KeyUsage': ('SIGN_VERIFY', ['ENCAPSULATE_DECAPSULATE']),
        'Operations': ('DescribeKey', ['Decapsulate', 'Encapsulate']),
    },
}
KMS_NAMED = {
    'KeyId': {'n': 1, 'x': 2048}, 'GrantTokens': {'n': 0, 'x': 10, 'm': {'n': 1, 'x': 8192}},
    'EncapsulationAlgorithm': {'e': ['ML_KEM']},
}
POOL = {'UserPoolId': {'n': 1, 'p': '[\\w-]+_[0-9a-zA-Z]+', 'x': 55}}
POOL_CLIENT = {**POOL, 'ClientId': {'n': 1, 'p': '[\\w+]+', 'x': 128}}
POOL_USER = {**POOL, 'Username': {'n': 1, 'p': '[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+', 'x': 128}}
SESSION = {'SessionId': {'n': 28, 'x': 28}, 'RevokeAssociatedSessions': {'e': ['LINKED', 'NONE']}}
NEWER_STRUCTS = {
    'cognito-idp': {
        'AdminListUserSessionsRequest': POOL_USER,
        'AdminRevokeUserSessionRequest': {**POOL_USER, **SESSION},
        'RevokeUserSessionRequest': SESSION,
        'GetUserPoolSessionConfigurationRequest': POOL,
        'SetUserPoolSessionConfigurationRequest': {**POOL, 'UserSessionTracking': {'e': ['DISABLED', 'ENABLED']}},
        'UserPoolTokenSessionConfigType': {'MaxPerUser': {'i': 1, 'n': 1, 'x': 100}},
        'GetClientTokenRequest': {
            'ClientId': POOL_CLIENT['ClientId'], 'Secret': {'n': 1, 'x': 64}, 'Scopes': {'n': 0, 'x': 50, 'm': {'n': 1, 'x': 256}},
        },
        'DescribeTermsByClientRequest': {**POOL_CLIENT, 'TermsName': {'p': '^(terms-of-use|privacy-policy)$'}},
    },
    'kms': {
        'EncapsulateRequest': KMS_NAMED,
        'DecapsulateRequest': {**KMS_NAMED, 'SharedSecretCiphertextBlob': {'n': 1, 'x': 6144}},
    },
}

# Bounds that the models leave out: the serial number of a device, at most 256 characters, is an ARN with its name.
BOUNDS = {'iam': {'CreateVirtualMFADeviceRequest': {'VirtualMFADeviceName': {'x': 226}}}}

# Services without an official client that carries schemas: theirs are written here.
WITHOUT_CLIENT = ['inspector', 'cloudhsmv2', 'acm-pca', 'artifact']

# A pattern that takes quadratic time on long texts, where the model sets no bound: all others were timed at 100,000
# characters. No address is longer (RFC 5321 §4.5.3.1 stops far earlier).
EMAIL_PATTERN = r'[\p{L}\p{M}\p{S}\p{N}\p{P}]+@[\p{L}\p{M}\p{S}\p{N}\p{P}]+'
EMAIL_LENGTH_MAX = 2048

# The model names detectors and what is below them alone; plans of malware protection are tagged by the same operations.
GUARDDUTY_ARN = r'arn:[A-Za-z_.-]{1,20}:guardduty:[A-Za-z0-9_/.-]{0,63}:\d+:detector/[A-Za-z0-9_/.-]{32,264}'
GUARDDUTY_ARNS = (
    r'arn:[A-Za-z_.-]{1,20}:guardduty:[A-Za-z0-9_/.-]{0,63}:\d+:(detector|malware-protection-plan)/[A-Za-z0-9_/.-]{1,264}'
)

# The model's domains of user pools are one label; custom domains, which the same members hold, are names of several.
LABEL_PATTERN = r'^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$'
DOMAIN_PATTERN = r'^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?){0,31}$'

# Simple types by the numbers of @smithy/types' static schemas.
SIMPLE = {'string': 0, 'integer': 1, 'long': 1, 'float': 1, 'double': 1, 'boolean': 2, 'timestamp': 4, 'blob': 21}
TIMESTAMP_FORMATS = {'iso8601': 5, 'rfc822': 6, 'unixTimestamp': 7}
LOCATIONS = {'header': 'httpHeader', 'querystring': 'httpQuery', 'headers': 'httpPrefixHeaders'}


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
        if metadata['pattern'] == EMAIL_PATTERN:
            found.setdefault('x', EMAIL_LENGTH_MAX)
        if metadata['pattern'] == LABEL_PATTERN:
            found['p'] = DOMAIN_PATTERN
        if metadata['pattern'].strip('^$') == GUARDDUTY_ARN:
            found['p'] = GUARDDUTY_ARNS
            found.setdefault('x', 2048)
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


def constraints(model):
    structs = {}
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.type_name != 'structure':
            continue
        members = {member: constraint(inner) for member, inner in shape.members.items()}
        members = {member: found for member, found in members.items() if found}
        if members:
            structs[name] = members
    errors = {name: sorted(shape.name for shape in model.operation_model(name).error_shapes)
              for name in model.operation_names}
    unsigned = sorted(name for name in model.operation_names if needs_no_signature(model.operation_model(name)))
    return {'structs': structs, 'errors': errors, 'unsigned': unsigned}


def needs_no_signature(operation):
    return operation.auth_type == 'none' or operation.auth == ['smithy.api#noAuth']


def extend(service, table):
    for members in table['structs'].values():
        for name, (sign, values) in NEWER_VALUES.get(service, {}).items():
            found = members.get(name, {})
            found = found.get('m', found)
            if sign in found.get('e', []):
                found['e'] += [value for value in values if value not in found['e']]
    for name, members in NEWER_STRUCTS.get(service, {}).items():
        table['structs'].setdefault(name, members)
    for name, members in BOUNDS.get(service, {}).items():
        for member, bounds in members.items():
            table['structs'].setdefault(name, {}).setdefault(member, {}).update(bounds)
    return table


def reference(shape):
    """[target, traits]: simple types by number, everything else by name."""
    traits = {}
    serialization = shape.serialization
    location = serialization.get('location')
    if location == 'uri':
        traits['httpLabel'] = 1
    elif location in LOCATIONS:
        traits[LOCATIONS[location]] = serialization['name']
    elif location == 'statusCode':
        traits['httpResponseCode'] = 1
    elif 'name' in serialization:
        traits['jsonName'] = serialization['name']
    if shape.metadata.get('sensitive'):
        traits['sensitive'] = 1
    if shape.metadata.get('idempotencyToken'):
        traits['idempotencyToken'] = 1
    target = SIMPLE.get(shape.type_name, shape.name)
    if shape.type_name == 'timestamp':
        target = TIMESTAMP_FORMATS.get(serialization.get('timestampFormat'), target)
    return [target, traits] if traits else [target]


def schema(shape):
    if shape.type_name == 'list':
        return ['list', reference(shape.member)]
    if shape.type_name == 'map':
        return ['map', reference(shape.key), reference(shape.value)]
    required = [name for name in shape.members if name in shape.required_members]
    ordered = required + [name for name in shape.members if name not in required]
    members = {name: reference(shape.members[name]) for name in ordered}
    payload = shape.serialization.get('payload')
    if payload:
        members[payload] = [members[payload][0], {'httpPayload': 1}]
    error = shape.metadata.get('error', {})
    if not shape.metadata.get('exception'):
        return ['struct', members, len(required)]
    fault = bool(shape.metadata.get('fault'))
    traits = {'error': 'server' if fault else 'client'}
    if error.get('httpStatusCode'):
        traits['httpError'] = error['httpStatusCode']
    return ['error', members, len(required), traits]


def operation(model):
    http = model.http
    traits = []
    if model.metadata['protocol'].startswith('rest'):
        traits = [{'http': [http['method'], http['requestUri'], http.get('responseCode', 200)]}]
    return [model.input_shape and model.input_shape.name, model.output_shape and model.output_shape.name, *traits]


def schemas(model):
    shapes = {name: model.shape_for(name) for name in model.shape_names}
    compound = {name: schema(shape) for name, shape in shapes.items() if shape.type_name in ('structure', 'list', 'map')}
    operations = {name: operation(model.operation_model(name)) for name in model.operation_names}
    return {'shapes': compound, 'operations': operations}


TYPES = {'string': 'string', 'integer': 'number', 'long': 'number', 'float': 'number', 'double': 'number',
         'boolean': 'boolean', 'timestamp': 'Date', 'blob': 'Uint8Array'}


def type_of(shape):
    if shape.type_name == 'structure':
        return shape.name
    if shape.type_name == 'list':
        return f'{type_of(shape.member)}[]' if shape.member.type_name == 'structure' else f'({type_of(shape.member)})[]'
    if shape.type_name == 'map':
        return f'Record<string, {type_of(shape.value)}>'
    if 'enum' in shape.metadata:
        return ' | '.join(f"'{value}'" for value in shape.metadata['enum'])
    return TYPES[shape.type_name]


def members_of(shape):
    # Required members as the official clients type them: present, and possibly undefined.
    return '; '.join(f"{name}{'' if name in shape.required_members else '?'}: {type_of(member)} | undefined"
                     for name, member in shape.members.items())


def types(service, model):
    lines = [f'/** The types of {service}, in the form of an official client module. Generated: see tools/gen-models.py. */',
             "import type { LocalCommand, LocalError } from '../../src/wire/typed.ts'", '']
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.type_name != 'structure':
            continue
        if shape.metadata.get('exception'):
            lines.append(f"export declare const {name}: LocalError<'{name}'>")
        else:
            lines.append(f'export type {name} = {{ {members_of(shape)} }}')
    for name in model.operation_names:
        operation_model = model.operation_model(name)
        ends = [shape.name if shape else '{}' for shape in (operation_model.input_shape, operation_model.output_shape)]
        lines.append(f"export declare const {name}Command: LocalCommand<{', '.join(ends)}>")
    return '\n'.join(lines) + '\n'


def write(kind, service, table):
    folder = MODELS / kind
    folder.mkdir(parents=True, exist_ok=True)
    # Members keep their order: in a schema the required ones come first.
    text = json.dumps(table, separators=(',', ':'), sort_keys=kind == 'constraints')
    (folder / f'{service}.json').write_text(text + '\n')


def main():
    session = botocore.session.get_session()
    for service in SERVICES:
        model = session.get_service_model(BOTOCORE.get(service, service))
        write('constraints', service, extend(service, constraints(model)))
        if service in WITHOUT_CLIENT:
            write('schemas', service, schemas(model))
            (MODELS / 'schemas' / f'{service}.types.ts').write_text(types(service, model))


if __name__ == '__main__':
    main()
