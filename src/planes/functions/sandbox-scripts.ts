/** What runs inside the sandbox: a relay to the sockets that lead out of it, and the two runtimes. */

/**
 * Listens in the sandbox's own network and passes each connection on to a socket of the host, then runs the runtime.
 * Told by MERLON_RELAY: `{ "listen": [{ host, port, socket }], "command": […] }`.
 */
export const RELAY = `
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'

const { listen, command } = JSON.parse(process.env.MERLON_RELAY)
delete process.env.MERLON_RELAY
await Promise.all(
  listen.map(
    ({ host, port, socket }) =>
      new Promise((resolve) => {
        createServer((near) => {
          const far = connect(socket)
          near.on('error', () => far.destroy())
          far.on('error', () => near.destroy())
          near.pipe(far).pipe(near)
        }).listen(port, host, resolve)
      }),
  ),
)
const [program, ...words] = command
const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit'] })
child.on('error', (error) => {
  console.error(String(error))
  process.exit(127)
})
child.on('exit', (status, signal) => process.exit(status ?? 128 + constants.signals[signal]))
`

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export const PYTHON_RUNTIME = `
import importlib, json, os, sys, time, traceback, urllib.request

API = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2018-06-01/runtime/'

class Context:
    def __init__(self, headers):
        self.aws_request_id = headers['Lambda-Runtime-Aws-Request-Id']
        self.invoked_function_arn = headers['Lambda-Runtime-Invoked-Function-Arn']
        self.function_name = os.environ['AWS_LAMBDA_FUNCTION_NAME']
        self.function_version = '$LATEST'
        self.memory_limit_in_mb = os.environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
        self.log_group_name = self.log_stream_name = ''
        self.deadline = int(headers['Lambda-Runtime-Deadline-Ms'])
    def get_remaining_time_in_millis(self):
        return max(0, self.deadline - int(time.time() * 1000))

def post(path, value):
    urllib.request.urlopen(urllib.request.Request(API + path, json.dumps(value).encode(), method='POST')).read()

def failure(error):
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    sys.stderr.write(''.join(lines))
    return {'errorMessage': str(error), 'errorType': type(error).__name__, 'stackTrace': lines[1:-1]}

sys.path.insert(0, os.environ['LAMBDA_TASK_ROOT'])
try:
    module, name = os.environ['_HANDLER'].rsplit('.', 1)
    handler = getattr(importlib.import_module(module.replace('/', '.')), name)
except BaseException as error:
    post('init/error', failure(error))
    sys.exit(1)
while True:
    with urllib.request.urlopen(API + 'invocation/next') as answer:
        event, headers = json.loads(answer.read()), answer.headers
    path = 'invocation/' + headers['Lambda-Runtime-Aws-Request-Id'] + '/'
    try:
        result = handler(event, Context(headers))
        sys.stdout.flush()
        post(path + 'response', result)
    except Exception as error:
        sys.stdout.flush()
        post(path + 'error', failure(error))
`

/** Handlers that return a promise or a value; those with a callback are of older runtimes. */
export const NODE_RUNTIME = `
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/'
const post = (path, value) => fetch(api + path, { method: 'POST', body: JSON.stringify(value) ?? 'null' })
const failure = (error) => {
  console.error(error)
  const { name = 'Error', message = String(error), stack = '' } = error ?? {}
  return { errorType: name, errorMessage: message, trace: stack.split('\\n') }
}
let handler
try {
  const at = process.env._HANDLER.lastIndexOf('.')
  const base = process.env.LAMBDA_TASK_ROOT + '/' + process.env._HANDLER.slice(0, at)
  const file = ['.mjs', '.cjs', '.js'].map((end) => base + end).find((each) => existsSync(each))
  if (!file) throw Object.assign(new Error('Cannot find module ' + base), { name: 'Runtime.ImportModuleError' })
  const loaded = await import(pathToFileURL(file))
  const name = process.env._HANDLER.slice(at + 1)
  handler = loaded[name] ?? loaded.default?.[name]
  if (typeof handler !== 'function') throw Object.assign(new Error(process.env._HANDLER + ' is undefined or not exported'), { name: 'Runtime.HandlerNotFound' })
} catch (error) {
  await post('init/error', failure(error))
  process.exit(1)
}
for (;;) {
  const next = await fetch(api + 'invocation/next')
  const event = await next.json()
  const awsRequestId = next.headers.get('lambda-runtime-aws-request-id')
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'))
  const context = {
    awsRequestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    invokedFunctionArn: next.headers.get('lambda-runtime-invoked-function-arn'),
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  }
  try {
    await post('invocation/' + awsRequestId + '/response', await handler(event, context))
  } catch (error) {
    await post('invocation/' + awsRequestId + '/error', failure(error))
  }
}
`
