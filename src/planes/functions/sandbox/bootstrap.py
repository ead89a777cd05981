"""The Python runtime: asks for an event, gives it to the handler, gives back what came of it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

env = os.environ
# Modules of the function, not of this runtime.
sys.path[0] = env["LAMBDA_TASK_ROOT"]


def ask(method, path, value=None):
    connection = http.client.HTTPConnection(env["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, "/2018-06-01/runtime" + path, body=None if value is None else value.encode("utf-8"))
    answer = connection.getresponse()
    return answer.headers, answer.read()


def said(error, kind=None, message=None, request=""):
    trace = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    return json.dumps(
        {
            "errorMessage": message or str(error),
            "errorType": kind or type(error).__name__,
            "requestId": request,
            "stackTrace": trace,
        }
    )


def failed(error, kind=None, message=None):
    traceback.print_exc()
    sys.stdout.flush()
    ask("POST", place + "/error", said(error, kind, message, request))


class Context:
    function_name = env["AWS_LAMBDA_FUNCTION_NAME"]
    function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
    memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    log_group_name = env["AWS_LAMBDA_LOG_GROUP_NAME"]
    log_stream_name = env["AWS_LAMBDA_LOG_STREAM_NAME"]
    identity = None
    client_context = None

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))


logging.basicConfig(stream=sys.stdout, format="[%(levelname)s]\t%(asctime)s\t%(message)s")

module, _, name = env["_HANDLER"].rpartition(".")
try:
    handler = getattr(importlib.import_module(module.replace("/", ".")), name, None)
    if handler is None:
        raise AttributeError("Handler '%s' missing on module '%s'" % (name, module))
except BaseException as error:  # whatever a module throws while it loads
    kind = "Runtime.ImportModuleError" if isinstance(error, ImportError) else type(error).__name__
    words = "Unable to import module '%s': %s" % (module, error) if isinstance(error, ImportError) else None
    if isinstance(error, AttributeError) and str(error).startswith("Handler '"):
        kind = "Runtime.HandlerNotFound"
    ask("POST", "/init/error", said(error, kind, words))
    sys.exit(1)

while True:
    headers, body = ask("GET", "/invocation/next")
    request = headers["Lambda-Runtime-Aws-Request-Id"]
    place = "/invocation/" + request
    try:
        value = handler(json.loads(body), Context(headers))
    except Exception as error:
        failed(error)
        continue
    try:
        answer = json.dumps(value)
    except Exception as error:
        failed(error, "Runtime.MarshalError", "Unable to marshal response: %s" % error)
        continue
    sys.stdout.flush()
    ask("POST", place + "/response", answer)
