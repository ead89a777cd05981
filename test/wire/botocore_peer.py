"""The other side of roundtrip-botocore.test.ts: one JSON case a line on stdin, one result a line on stdout.

A case is {id, service, operation, input, answer?, error?}. The result carries the request botocore would send for the
input, what it reads out of the answer, and what it makes of the error.
Bytes travel as {"$bytes": base64}, dates as {"$date": seconds}.
"""
import base64
import datetime
import json
import sys
import urllib.parse

import botocore.parsers
import botocore.serialize
import botocore.session
from botocore.awsrequest import HeadersDict
from botocore.utils import percent_encode_sequence

session = botocore.session.get_session()
models = {}


def model_of(service):
    if service not in models:
        models[service] = session.get_service_model({'monitoring': 'cloudwatch'}.get(service, service))
    return models[service]


def to_python(value, shape):
    """Typed values for the shape; members that botocore's (older) model lacks are dropped."""
    kind = shape.type_name
    if kind == 'structure':
        if shape.is_document_type:
            return value
        return {name: to_python(item, shape.members[name]) for name, item in value.items() if name in shape.members}
    if kind == 'list':
        return [to_python(item, shape.member) for item in value]
    if kind == 'map':
        return {name: to_python(item, shape.value) for name, item in value.items()}
    if kind == 'blob':
        return base64.b64decode(value['$bytes'])
    if kind == 'timestamp':
        return datetime.datetime.fromtimestamp(value['$date'], datetime.timezone.utc)
    # Page sizes of Route 53 are texts here and numbers in the official client.
    if kind == 'string' and not isinstance(value, str):
        return str(value)
    return float(value) if kind in ('float', 'double') else value


def to_json(value):
    if isinstance(value, dict):
        # What an older model cannot name in a union is dropped from the expectation, too.
        left_out = ('ResponseMetadata', 'SDK_UNKNOWN_MEMBER')
        return {name: to_json(item) for name, item in value.items() if name not in left_out}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, datetime.datetime):
        return {'$date': value.timestamp()}
    if isinstance(value, bytes):
        return {'$bytes': base64.b64encode(value).decode()}
    if hasattr(value, 'read'):
        return to_json(value.read())
    return value


def request_of(operation, protocol, value):
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(value, operation)
    body = request['body']
    if isinstance(body, dict):
        body = percent_encode_sequence(body)
    if isinstance(body, str):
        body = body.encode()
    query = request.get('query_string') or {}
    path, _, static = request['url_path'].partition('?')
    pairs = urllib.parse.parse_qsl(static, keep_blank_values=True)
    items = query.items() if isinstance(query, dict) else query
    for name, values in items:
        pairs += [(name, str(one)) for one in (values if isinstance(values, list) else [values])]
    return {
        'method': request['method'], 'path': path, 'query': urllib.parse.urlencode(pairs),
        'headers': {name: value if isinstance(value, str) else value.decode() if isinstance(value, bytes) else str(value)
                    for name, value in request['headers'].items()},
        'body': base64.b64encode(body or b'').decode(),
    }


def read(operation, protocol, answer):
    parser = botocore.parsers.create_parser(protocol)
    body = base64.b64decode(answer['body'])
    shape = operation.output_shape
    if shape is not None and shape.serialization.get('payload') in shape.members:
        payload = shape.members[shape.serialization['payload']]
        if payload.serialization.get('streaming'):
            raise ValueError('streams are not driven here')
    response = {'headers': HeadersDict(answer['headers']), 'status_code': answer['status'], 'body': body}
    parsed = parser.parse(response, shape)
    # The parser hands out a blob that is the whole body as text.
    for name, member in (shape.members.items() if shape is not None else ()):
        if member.type_name == 'blob' and isinstance(parsed.get(name), str):
            parsed[name] = parsed[name].encode()
    return parsed


def result_of(case):
    model = model_of(case['service'])
    name = case['operation']
    if name not in model.operation_names:
        if 'error' not in case:
            return {'unknown': True}
        name = model.operation_names[0]
    operation = model.operation_model(name)
    protocol = case['protocol']
    result = {}
    if 'input' in case and operation.input_shape is not None:
        value = to_python(case['input'], operation.input_shape)
        result['kept'] = to_json(value)
        result['request'] = request_of(operation, protocol, value)
    if 'answer' in case:
        result['read'] = to_json(read(operation, protocol, case['answer']))
        result['expected'] = to_json(to_python(case['output'], operation.output_shape)) if operation.output_shape else {}
    if 'error' in case:
        result['error'] = read(operation, protocol, case['error']).get('Error')
    return result


for line in sys.stdin:
    case = json.loads(line)
    try:
        outcome = result_of(case)
    except Exception as problem:
        outcome = {'problem': repr(problem)[:400]}
    print(json.dumps({'id': case['id'], **outcome}))
