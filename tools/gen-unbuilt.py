"""Generates models/unbuilt-services.json, models/unbuilt-routes.json and models/regions.json out of botocore.

Services without a row in src/wire/services.ts: enough to recognize a request and to answer it by name. Facts only.
Run with a Python that has botocore: python3 tools/gen-unbuilt.py
"""
import importlib.util
import json
import pathlib

import botocore.session

TOOLS = pathlib.Path(__file__).parent
MODELS = TOOLS.parent / 'models'

PROTOCOLS = {'query': 'query', 'ec2': 'ec2', 'json': 'json11', 'rest-json': 'restjson', 'rest-xml': 'restxml',
             'smithy-rpc-v2-cbor': 'cbor'}
PARTITION = 'aws'
# The whole partition: no Region of its own.
GLOBAL = 'aws-global'


def rows():
    spec = importlib.util.spec_from_file_location('gen_models', TOOLS / 'gen-models.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {module.BOTOCORE.get(name, name) for name in module.SERVICES}


def service(name, metadata):
    """[id, protocol, endpoint prefix, signing name, target prefix, API version, namespace]; empty where there is none."""
    prefix = metadata['endpointPrefix']
    return [name, PROTOCOLS[metadata['protocol']], prefix, metadata.get('signingName', prefix),
            metadata.get('targetPrefix', ''), metadata['apiVersion'], metadata.get('xmlNamespace', '')]


def routes(operations):
    """`METHOD URI Operation`: query strings stay, they tell operations apart."""
    return [f"{model['http']['method']} {model['http']['requestUri']} {name}" for name, model in sorted(operations.items())]


def write(name, table):
    (MODELS / name).write_text(json.dumps(table, separators=(',', ':')) + '\n')


def lines(entries):
    """One entry a line, so that changes can be read."""
    return '[\n' + ',\n'.join(json.dumps(entry, separators=(',', ':')) for entry in entries) + '\n]\n'


def main():
    loader = botocore.session.get_session().get_component('data_loader')
    built = rows()
    services = []
    rest = {}
    for name in loader.list_available_services('service-2'):
        if name in built:
            continue
        model = loader.load_service_model(name, 'service-2')
        services.append(service(name, model['metadata']))
        if model['metadata']['protocol'].startswith('rest'):
            rest[name] = routes(model['operations'])
    (MODELS / 'unbuilt-services.json').write_text(lines(services))
    write('unbuilt-routes.json', rest)
    partition = next(each for each in loader.load_data('partitions')['partitions'] if each['id'] == PARTITION)
    write('regions.json', sorted(region for region in partition['regions'] if region != GLOBAL))


if __name__ == '__main__':
    main()
